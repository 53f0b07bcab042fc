-- question: how many calls were there, how many dissatisfied, and is that a change?
-- difference: share of the period minus share of the days before; interval by Newcombe's method 10
-- Source: Newcombe (1998), Statistics in Medicine 17, 873-890.
with calls as (
    select *, call_date >= $first_date as is_new
    from call_summary
    where $all_days
),

sums as (
    select
        count(*) filter (is_new) as count_calls,
        coalesce(sum(duration_s) filter (is_new), 0) as duration_s,
        count(dissatisfaction) filter (is_new) as count_scored,
        sum(scored_s) filter (is_new) / nullif(sum(customer_s) filter (is_new), 0) as coverage,
        count(*) filter (is_new and is_dissatisfied) as hits,
        count(dissatisfaction) filter (not is_new) as count_scored_before,
        count(*) filter (not is_new and is_dissatisfied) as hits_before,
        count(*) filter (attributes['synthetic'] = 'true') as count_synthetic
    from calls
),

shares as (
    select
        *,
        hits / nullif(count_scored, 0) as share,
        wilson_low(hits, count_scored) as share_low,
        wilson_high(hits, count_scored) as share_high,
        hits_before / nullif(count_scored_before, 0) as share_before,
        wilson_low(hits_before, count_scored_before) as share_before_low,
        wilson_high(hits_before, count_scored_before) as share_before_high
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
