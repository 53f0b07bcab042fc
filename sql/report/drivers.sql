-- question: what do dissatisfied calls have more of?
-- the quarter of the calls with most of a measure against the others; Newcombe's method 10
with calls as (
    select
        is_dissatisfied,
        hold_longest_s as "longest hold, s",
        response_time_median_s as "agent's pause before answering, s",
        silence_longest_s as "longest silence, s",
        overtalk_share * 100 as "both talk at once, % of the talk",
        duration_s / 60 as "length of the call, min"
    from call_summary
    where $all_days and dissatisfaction is not null
),

measured as (
    unpivot calls on columns(* exclude (is_dissatisfied)) into name measure value amount
),

cut as (
    select *, quantile_cont(amount, 0.75) over (partition by measure) as most
    from measured
),

counted as (
    select
        measure,
        any_value(most) as most,
        count(*) filter (amount > most) as count_most,
        count(*) filter (amount > most and is_dissatisfied) as hits_most,
        count(*) filter (amount <= most) as count_others,
        count(*) filter (amount <= most and is_dissatisfied) as hits_others
    from cut
    group by measure
),

shares as (
    select
        *,
        hits_most / count_most as share_most,
        wilson_low(hits_most, count_most) as low_most,
        wilson_high(hits_most, count_most) as high_most,
        hits_others / count_others as share_others,
        wilson_low(hits_others, count_others) as low_others,
        wilson_high(hits_others, count_others) as high_others
    from counted
    where least(count_most, count_others) >= $min_calls
)

select
    measure,
    most,
    count_most,
    share_most,
    share_others,
    share_most - share_others as difference,
    share_most - share_others
    - sqrt((share_most - low_most) ** 2 + (high_others - share_others) ** 2) as difference_low,
    share_most - share_others
    + sqrt((high_most - share_most) ** 2 + (share_others - low_others) ** 2) as difference_high
from shares
order by difference desc, measure
