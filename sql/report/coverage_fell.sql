-- question: of which queues was much less of the customers' speech scored than the week before?
with weeks as (
    select
        queue,
        count(*) filter (call_date > $last_date - 7) as count_calls,
        count(*) filter (call_date <= $last_date - 7) as count_calls_before,
        coalesce(sum(scored_s) filter (call_date > $last_date - 7), 0)
        / nullif(sum(customer_s) filter (call_date > $last_date - 7), 0) as coverage,
        coalesce(sum(scored_s) filter (call_date <= $last_date - 7), 0)
        / nullif(sum(customer_s) filter (call_date <= $last_date - 7), 0) as coverage_before
    from call_summary
    where call_date > $last_date - 14 and call_date <= $last_date
    group by queue
)

select *
from weeks
where coverage_before - coverage >= 0.05 and least(count_calls, count_calls_before) >= $min_calls
order by coverage_before - coverage desc, queue
