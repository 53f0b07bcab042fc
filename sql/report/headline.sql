-- question: how many calls were there, how many dissatisfied, and is that a change?
-- difference: share of the period minus share of the days before; interval by Newcombe's method 10
-- Source: Newcombe (1998), Statistics in Medicine 17, 873-890.
with calls as (
    select *, call_date >= $from_date as is_new
    from call_summary
    where call_date between $earlier_date and $to_date
),

sums as (
    select
        count(*) filter (is_new) as count_calls,
        coalesce(sum(duration_s) filter (is_new), 0) as duration_s,
        count(dissatisfaction) filter (is_new) as count_scored_calls,
        sum(scored_s) filter (is_new) / nullif(sum(customer_s) filter (is_new), 0) as coverage,
        count(*) filter (is_new and is_dissatisfied) as count_dissatisfied_calls,
        avg(dissatisfaction) filter (is_new) as dissatisfaction,
        count(dissatisfaction) filter (not is_new) as count_scored_calls_before,
        count(*) filter (not is_new and is_dissatisfied) as count_dissatisfied_calls_before
    from calls
),

shares as (
    select
        *,
        count_dissatisfied_calls / nullif(count_scored_calls, 0) as share,
        wilson_low(count_dissatisfied_calls, count_scored_calls) as share_low,
        wilson_high(count_dissatisfied_calls, count_scored_calls) as share_high,
        count_dissatisfied_calls_before / nullif(count_scored_calls_before, 0) as share_before,
        wilson_low(count_dissatisfied_calls_before, count_scored_calls_before)
            as share_before_low,
        wilson_high(count_dissatisfied_calls_before, count_scored_calls_before)
            as share_before_high
    from sums
)

select
    *,
    share - share_before as difference,
    share - share_before - sqrt((share - share_low) ** 2 + (share_before_high - share_before) ** 2)
        as difference_low,
    share - share_before + sqrt((share_high - share) ** 2 + (share_before - share_before_low) ** 2)
        as difference_high
from shares
