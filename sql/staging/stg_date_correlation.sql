-- grain: one row a call date and scope, as trend has them
-- version: 1
-- built: by call date, over 56 days
-- scope: all or queue
-- count_dates: pairs of a call date and queue that the correlations rest on
-- correlation_1: of the deviation of the dissatisfied share of a date from its usual with that of
--   the next date, over the 56 days to the call date, all queues of the scope together, -1..1; null,
--   as all that follow, where there are too few dates to estimate it
-- correlation_2: the same, two days later
-- correlation_3: the same, three days later
with dates as (
    select
        call_date as day,
        queue,
        count(*) as count_scored,
        count(*) filter (is_dissatisfied) as hits
    from call_summary
    where dissatisfaction is not null
    group by call_date, queue
),

-- what is usual may have changed at the start of a window that trend compares
parts as (
    select
        ends.call_date,
        dates.*,
        case
            when dates.day > ends.call_date - 7 then 'week'
            when dates.day > ends.call_date - 28 then 'weeks'
            else 'before'
        end as part
    from (
        select distinct call_date
        from call_summary
        where coalesce(list_contains(getvariable('end_dates')::date[], call_date), true)
    ) as ends
    inner join dates on dates.day <= ends.call_date and dates.day > ends.call_date - 56
),

deviations as (
    select
        call_date,
        queue,
        part,
        day,
        hits - count_scored * (sum(hits) over of_part) / (sum(count_scored) over of_part) as deviation,
        avg(count_scored) over of_part as usual_count
    from parts
    window of_part as (partition by call_date, queue, part)
),

scoped as (
    select
        call_date,
        if(grouping(queue) = 1, 'all', 'queue') as scope,
        queue,
        part,
        day,
        sum(deviation) / sqrt(sum(usual_count)) as deviation,
        count(*) over (partition by call_date, scope, queue, part) as count_dates
    from deviations
    group by grouping sets ((call_date, part, day), (call_date, part, day, queue))
),

products as (
    select
        one.call_date,
        one.scope,
        other.day - one.day as days_apart,
        count(*) as count_pairs,
        avg(one.deviation * other.deviation) as covariance,
        avg(1 / one.count_dates) as fitted_share
    from scoped as one
    inner join scoped as other
        on one.call_date = other.call_date
        and one.scope = other.scope
        and one.queue is not distinct from other.queue
        and one.part = other.part
        and other.day between one.day and one.day + 3
    group by one.call_date, one.scope, days_apart
),

-- a deviation from the mean of its part varies less, by fitted_share of the variance of the sum
summed as (
    select
        call_date,
        scope,
        max(count_pairs) as count_dates,
        1 - sum(if(days_apart = 0, fitted_share, 2 * fitted_share)) as not_fitted,
        greatest(0, sum(if(days_apart = 0, covariance, 2 * covariance)))
        / if(not_fitted >= 0.4, not_fitted, null) as of_sum
    from products
    group by call_date, scope
),

corrected as (
    select
        products.call_date,
        products.scope,
        days_apart,
        summed.count_dates,
        covariance + fitted_share * of_sum as covariance
    from products
    inner join summed using (call_date, scope)
)

select
    call_date,
    scope,
    any_value(count_dates) as count_dates,
    max(covariance / variance) filter (days_apart = 1) as correlation_1,
    max(covariance / variance) filter (days_apart = 2) as correlation_2,
    max(covariance / variance) filter (days_apart = 3) as correlation_3
from (
    select
        *,
        nullif(max(if(days_apart = 0, covariance, null)) over (partition by call_date, scope), 0)
            as variance
    from corrected
)
group by call_date, scope
order by call_date, scope
