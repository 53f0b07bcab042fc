-- question: how many calls were there on each day, and how many of them were dissatisfied?
select
    call_date,
    count(*) as count_calls,
    count(dissatisfaction) as count_scored_calls,
    count(*) filter (is_dissatisfied) as count_dissatisfied_calls
from call_summary
where $all_days
group by call_date
order by call_date
