-- question: Do calls with long holds end angrier? (by the longest hold of the call)
with days as (
    select
        case
            when hold_longest_s = 0 then 'a: no hold'
            when hold_longest_s < 30 then 'b: under 30 s'
            when hold_longest_s < 90 then 'c: 30 to 90 s'
            else 'd: 90 s and more'
        end as longest_hold,
        count(*) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(dissatisfaction) as dissatisfaction,
        sum(dissatisfaction_end) as dissatisfaction_end,
        count(dissatisfaction_end) as count_with_end
    from call_summary
    where dissatisfaction is not null
    group by longest_hold, call_date
)

select
    longest_hold,
    sum(count_scored)::bigint as count_scored_calls,
    suppress_small_n(sum(dissatisfaction) / sum(count_scored), sum(count_scored)) as dissatisfaction,
    suppress_small_n(sum(dissatisfaction_end) / sum(count_with_end), sum(count_with_end))
        as dissatisfaction_end,
    suppress_small_n(sum(hits) / sum(count_scored), sum(count_scored)) as dissatisfied_call_share,
    suppress_small_n(clustered_low(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_low,
    suppress_small_n(clustered_high(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_high
from days
group by longest_hold
order by longest_hold
