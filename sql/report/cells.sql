-- question: how do days, hours, queues and attributes differ?
select
    call_date,
    hour,
    queue,
    $attributes as attributes,
    count(*) as count_calls,
    count(dissatisfaction) as count_scored_calls,
    count(*) filter (is_dissatisfied) as count_dissatisfied_calls
from call_summary
where $all_days
group by all
order by all
