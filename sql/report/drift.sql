-- question: do the newest calls differ from the days before, and from the training data?
select *
from drift
where call_date = (select max(call_date) from drift where call_date <= $last_date)
order by
    list_position(['features', 'scores', 'coverage', 'line'], subject),
    name,
    reference
