-- question: Do calls with long holds end angrier? (by the longest hold of the call)
with calls as (
    select
        case
            when hold_longest_s = 0 then 'a: no hold'
            when hold_longest_s < 30 then 'b: under 30 s'
            when hold_longest_s < 90 then 'c: 30 to 90 s'
            else 'd: 90 s and more'
        end as category,
        is_dissatisfied::int as part,
        1 as whole,
        call_date,
        coalesce(customer, recording_id) as customer,
        dissatisfaction,
        dissatisfaction_end
    from call_summary
    where dissatisfaction is not null
),

holds as (
    select
        category as longest_hold,
        avg(dissatisfaction_end) as mean_end,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        sum(part) as hits
    from calls
    group by category
),

found as (
    from clustered_by(calls)
)

select
    longest_hold,
    count_scored_calls,
    suppress_small_n(mean, count_scored_calls) as dissatisfaction,
    suppress_small_n(mean_end, count_scored_calls) as dissatisfaction_end,
    suppress_small_n(hits / count_scored_calls, count_scored_calls) as dissatisfied_call_share,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, -1), count_scored_calls
    ) as dissatisfied_call_share_low,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, 1), count_scored_calls
    ) as dissatisfied_call_share_high
from holds
inner join found on holds.longest_hold = found.category
order by longest_hold
