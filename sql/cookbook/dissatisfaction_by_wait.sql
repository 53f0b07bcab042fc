-- question: Does dissatisfaction grow with the wait before the call? (attribute wait_s)
with waits as (
    select try_cast(attributes['wait_s'] as double) as wait_s, dissatisfaction, is_dissatisfied
    from call_summary
    where dissatisfaction is not null
)

select
    case
        when wait_s < 30 then 'a: under 30 s'
        when wait_s < 120 then 'b: 30 s to 2 min'
        when wait_s < 300 then 'c: 2 to 5 min'
        else 'd: 5 min and more'
    end as wait,
    count(*) as count_scored_calls,
    suppress_small_n(avg(dissatisfaction), count(*)) as dissatisfaction,
    suppress_small_n(count(*) filter (is_dissatisfied) / count(*), count(*)) as dissatisfied_call_share,
    suppress_small_n(wilson_low(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_low,
    suppress_small_n(wilson_high(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_high
from waits
where wait_s is not null
group by wait
order by wait
