-- question: Does dissatisfaction grow with the wait before the call? (attribute wait_s)
with calls as (
    select *, try_cast(attributes['wait_s'] as double) as wait_s
    from call_summary
    where dissatisfaction is not null
),

waits as (
    select
        case
            when wait_s < 30 then 'a: under 30 s'
            when wait_s < 120 then 'b: 30 s to 2 min'
            when wait_s < 300 then 'c: 2 to 5 min'
            else 'd: 5 min and more'
        end as wait,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        count(*) filter (is_dissatisfied) as hits,
        clustered(is_dissatisfied::int, 1, call_date, coalesce(customer, recording_id)) as found
    from calls
    where wait_s is not null
    group by wait
)

select
    wait,
    count_scored_calls,
    suppress_small_n(mean, count_scored_calls) as dissatisfaction,
    suppress_small_n(hits / count_scored_calls, count_scored_calls) as dissatisfied_call_share,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, -1), count_scored_calls
    ) as dissatisfied_call_share_low,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, 1), count_scored_calls
    ) as dissatisfied_call_share_high
from waits
order by wait
