-- question: Which queue got worse this week, beyond chance and beyond its mix of hours?
select
    queue,
    count_scored_calls,
    dissatisfied_call_share_before,
    dissatisfied_call_share,
    adjusted_change,
    adjusted_change_low,
    adjusted_change_high
from trend
where scope = 'queue'
    and window_days = 7
    and call_date = (select max(call_date) from trend)
    and adjusted_change > 0
    and is_beyond_chance
order by adjusted_change desc
