-- question: Does dissatisfaction grow with the wait before the call? (attribute wait_s)
with waiting as (
    select *, try_cast(attributes['wait_s'] as double) as wait_s
    from call_summary
    where dissatisfaction is not null
),

calls as (
    select
        case
            when wait_s < 30 then 'a: under 30 s'
            when wait_s < 120 then 'b: 30 s to 2 min'
            when wait_s < 300 then 'c: 2 to 5 min'
            else 'd: 5 min and more'
        end as category,
        is_dissatisfied::int as part,
        1 as whole,
        call_date,
        coalesce(customer, recording_id) as customer,
        dissatisfaction
    from waiting
    where wait_s is not null
),

waits as (
    select
        category as wait,
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
inner join found on waits.wait = found.category
order by wait
