-- question: Does dissatisfaction grow with the wait before the call? (attribute wait_s)
with waits as (
    select
        call_date,
        try_cast(attributes['wait_s'] as double) as wait_s,
        dissatisfaction,
        is_dissatisfied
    from call_summary
    where dissatisfaction is not null
),

days as (
    select
        case
            when wait_s < 30 then 'a: under 30 s'
            when wait_s < 120 then 'b: 30 s to 2 min'
            when wait_s < 300 then 'c: 2 to 5 min'
            else 'd: 5 min and more'
        end as wait,
        count(*) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(dissatisfaction) as dissatisfaction
    from waits
    where wait_s is not null
    group by wait, call_date
)

select
    wait,
    sum(count_scored)::bigint as count_scored_calls,
    suppress_small_n(sum(dissatisfaction) / sum(count_scored), sum(count_scored)) as dissatisfaction,
    suppress_small_n(sum(hits) / sum(count_scored), sum(count_scored)) as dissatisfied_call_share,
    suppress_small_n(clustered_low(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_low,
    suppress_small_n(clustered_high(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_high
from days
group by wait
order by wait
