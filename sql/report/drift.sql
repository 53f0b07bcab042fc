-- question: do the newest calls sound like those before, and like what the model was trained on?
select *
from drift
where call_date = (select max(call_date) from drift where call_date <= $last_date)
order by
    list_position(['features', 'scores', 'coverage', 'line'], subject),
    name,
    reference
