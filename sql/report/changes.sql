-- question: which queues changed beyond chance, this week against the week before?
-- the week's own share does not need a week before
with this_week as (
    select
        queue as name,
        grouping(queue) = 1 as is_sum,
        suppress_small_n(
            count(*) filter (is_dissatisfied) / nullif(count(dissatisfaction), 0),
            count(dissatisfaction)
        ) as share
    from call_summary
    where call_date > $last_date - 7 and call_date <= $last_date
    group by grouping sets ((queue), ())
)

select
    trend.* replace (
        coalesce(trend.dissatisfied_call_share, this_week.share) as dissatisfied_call_share
    )
from trend
left join this_week
    on (trend.scope = 'all') = this_week.is_sum
    and trend.queue is not distinct from this_week.name
where trend.call_date = $last_date and window_days = 7 and $queues
order by scope, abs(adjusted_change) desc nulls last, queue
