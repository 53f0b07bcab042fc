-- question: Do calls with long holds end angrier? (by the longest hold of the call)
with holds as (
    select
        case
            when hold_longest_s = 0 then 'a: no hold'
            when hold_longest_s < 30 then 'b: under 30 s'
            when hold_longest_s < 90 then 'c: 30 to 90 s'
            else 'd: 90 s and more'
        end as longest_hold,
        avg(dissatisfaction_end) as mean_end,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        count(*) filter (is_dissatisfied) as hits,
        clustered(is_dissatisfied::int, 1, call_date, coalesce(customer, recording_id)) as found
    from call_summary
    where dissatisfaction is not null
    group by longest_hold
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
order by longest_hold
