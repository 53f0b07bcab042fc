-- question: Do calls with long holds end angrier? (by the longest hold of the call)
with calls as (
    select
        case
            when hold_longest_s = 0 then 'a: no hold'
            when hold_longest_s < 30 then 'b: under 30 s'
            when hold_longest_s < 90 then 'c: 30 to 90 s'
            else 'd: 90 s and more'
        end as longest_hold,
        dissatisfaction,
        dissatisfaction_end,
        is_dissatisfied
    from call_summary
    where dissatisfaction is not null
)

select
    longest_hold,
    count(*) as count_scored_calls,
    suppress_small_n(avg(dissatisfaction), count(*)) as dissatisfaction,
    suppress_small_n(avg(dissatisfaction_end), count(*)) as dissatisfaction_end,
    suppress_small_n(count(*) filter (is_dissatisfied) / count(*), count(*)) as dissatisfied_call_share,
    suppress_small_n(wilson_low(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_low,
    suppress_small_n(wilson_high(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_high
from calls
group by longest_hold
order by longest_hold
