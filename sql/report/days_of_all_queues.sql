-- question: how dissatisfied were the calls of each day, all queues together?
-- interval: Wilson, clustered by customer, as in daily_dissatisfaction
with customers as (
    select
        call_date,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(scored_s) as scored_s,
        sum(customer_s) as customer_s
    from call_summary
    where $period
    group by call_date, coalesce(customer, recording_id)
),

measured as (
    select
        call_date,
        clustered_share(hits, count_scored) as clustered
    from customers
    where count_scored > 0
    group by call_date
    having sum(count_scored) >= $min_calls
),

counted as (
    select
        call_date,
        sum(count_calls)::bigint as count_calls,
        sum(count_scored)::bigint as count_scored_calls,
        sum(hits)::bigint as count_dissatisfied_calls,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage
    from customers
    group by call_date
)

select
    counted.call_date,
    counted.count_calls,
    counted.count_scored_calls,
    counted.coverage,
    if(measured.call_date is null, null, counted.count_dissatisfied_calls)
        as count_dissatisfied_calls,
    measured.clustered.share as dissatisfied_call_share,
    clustered_low(measured.clustered) as dissatisfied_call_share_low,
    clustered_high(measured.clustered) as dissatisfied_call_share_high
from counted
left join measured using (call_date)
order by call_date
