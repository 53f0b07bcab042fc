-- question: how do days, hours and queues differ?
select
    call_date,
    hour,
    queue,
    count(*) as count_calls,
    count(dissatisfaction) as count_scored_calls,
    count(*) filter (is_dissatisfied) as count_dissatisfied_calls
from call_summary
where call_date between $earlier_date and $to_date
group by all
order by all
