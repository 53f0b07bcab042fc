-- question: Did the dissatisfied share change on a day, beyond chance and the mix of calls?
-- The day here is the first of the last week. In its place write your own: first and last day of the
-- period, then of the period before; `, only_queue := 'billing'` for one queue.
select
    count_scored_calls_before,
    count_scored_calls,
    dissatisfied_call_share_before,
    dissatisfied_call_share,
    adjusted_change,
    adjusted_change_low,
    adjusted_change_high,
    p_value,
    not_compared_reason
from compared(
    (select max(call_date) - 6 from call_summary),
    (select max(call_date) from call_summary),
    (select max(call_date) - 34 from call_summary),
    (select max(call_date) - 7 from call_summary)
)
