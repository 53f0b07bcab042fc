-- grain: one row a call date, length of window (7 or 28 days) and queue; scope `all` sums the queues
-- version: 5
-- built: by call date, over 56 days
-- call_date: last day of the window
-- window_days: length of the window, days; it is compared with the window before it
-- scope: all or queue
-- count_scored_calls: calls of the window with a dissatisfaction
-- count_scored_calls_before: the same, window before
-- count_days: call dates of the window with a scored call: the clusters of the intervals
-- count_days_before: the same, window before
-- coverage: scored seconds over seconds of the customers' segments in the window, 0..1
-- coverage_before: the same, window before; null: it has no such segment
-- coverage_eligible: scored seconds over seconds of the segments that may be scored, 0..1
-- coverage_eligible_before: the same, window before
-- dissatisfied_share_if_content: share of the eligible speech that is dissatisfied if all uncertain
--   speech were content, 0..1; withheld (null), as all that follows, where either window has fewer
--   scored calls than the setting report.min_calls
-- dissatisfied_share_if_dissatisfied: the same if all uncertain speech were dissatisfied, 0..1
-- dissatisfied_call_share: share of the scored calls that are dissatisfied, 0..1
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson with the effective number of
--   calls, clustered by call date and customer; null where the window has a single call date
-- dissatisfied_call_share_high: upper end of its 95 % interval
-- dissatisfied_call_share_before: the same, window before
-- dissatisfied_call_share_before_low: lower end of its 95 % interval, Wilson, clustered
-- dissatisfied_call_share_before_high: upper end of its 95 % interval, Wilson, clustered
-- change: share minus share before, -1..1
-- change_low: lower end of its 95 % interval, Newcombe's from both Wilson intervals
-- change_high: upper end of its 95 % interval, Newcombe's from both Wilson intervals
-- adjusted_change: mean change within queue and hour of day, Mantel-Haenszel weights: what changed
--   beside the mix of calls; queues and hours that one window lacks are left out
-- adjusted_change_low: lower end of its 95 % interval, Student's t, clustered by call date and
--   customer, and no narrower than that of independent calls; held within -1..1, as its upper end;
--   null where a window has a single call date
-- adjusted_change_high: upper end of its 95 % interval
-- compared_share: share of the window's scored calls that adjusted_change rests on, 0..1
-- p_value: chance of a change at least as large where nothing changed, two-sided
-- q_value: p_value corrected for the number of queues compared on that date (false discovery rate,
--   Benjamini and Hochberg)
-- is_beyond_chance: q_value is at most 0.05; null where a window has a single call date
-- not_compared_reason: why there is no p_value: no calls before, too few calls, single call date or
--   no queue and hour in common; null: there is one
with days as (
    select
        call_date as day,
        queue,
        hour,
        count(dissatisfaction) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(scored_s) as scored_s,
        sum(customer_s) as customer_s,
        sum(eligible_s) as eligible_s,
        sum(dissatisfied_s) as dissatisfied_s
    from call_summary
    group by call_date, queue, hour
),

repeat_customers as (
    select customer
    from call_summary
    where customer is not null and dissatisfaction is not null
    group by customer
    having count(distinct call_date) > 1
),

repeat_calls as (
    select
        customer,
        call_date as day,
        queue,
        hour,
        count(*) as count_scored,
        count(*) filter (is_dissatisfied) as hits
    from call_summary
    inner join repeat_customers using (customer)
    where dissatisfaction is not null
    group by customer, call_date, queue, hour
),

windows as (
    select dates.call_date, lengths.window_days
    from (
        select distinct call_date
        from call_summary
        where coalesce(list_contains(getvariable('end_dates')::date[], call_date), true)
    ) as dates
    cross join (values (7), (28)) as lengths(window_days)
),

strata as (
    select
        windows.call_date,
        windows.window_days,
        days.queue,
        days.hour,
        coalesce(sum(count_scored) filter (is_new), 0) as count_new,
        coalesce(sum(hits) filter (is_new), 0) as hits_new,
        coalesce(sum(count_scored) filter (not is_new), 0) as count_old,
        coalesce(sum(hits) filter (not is_new), 0) as hits_old,
        sum(scored_s) filter (is_new) as scored_new_s,
        sum(customer_s) filter (is_new) as customer_new_s,
        sum(eligible_s) filter (is_new) as eligible_new_s,
        sum(dissatisfied_s) filter (is_new) as dissatisfied_new_s,
        sum(scored_s) filter (not is_new) as scored_old_s,
        sum(customer_s) filter (not is_new) as customer_old_s,
        sum(eligible_s) filter (not is_new) as eligible_old_s
    from windows
    inner join days
        on days.day <= windows.call_date
        and days.day > windows.call_date - 2 * windows.window_days
    cross join lateral (select days.day > windows.call_date - windows.window_days) as part(is_new)
    group by windows.call_date, windows.window_days, days.queue, days.hour
),

scoped as (
    select 'queue' as scope, queue, queue as stratum_queue, * exclude (queue) from strata
    union all by name
    select 'all' as scope, null as queue, queue as stratum_queue, * exclude (queue) from strata
),

weighed as (
    select
        *,
        coalesce(count_old / nullif(count_new + count_old, 0), 0) as weight_new,
        coalesce(count_new / nullif(count_new + count_old, 0), 0) as weight_old,
        (hits_new + hits_old) / nullif(count_new + count_old, 0) as pooled
    from scoped
),

summed as (
    select
        call_date,
        window_days,
        scope,
        queue,
        sum(count_new) as count_new,
        sum(hits_new) as hits_new,
        sum(count_old) as count_old,
        sum(hits_old) as hits_old,
        sum(scored_new_s) / nullif(sum(customer_new_s), 0) as coverage,
        sum(scored_old_s) / nullif(sum(customer_old_s), 0) as coverage_before,
        sum(scored_new_s) / nullif(sum(eligible_new_s), 0) as coverage_eligible,
        sum(scored_old_s) / nullif(sum(eligible_old_s), 0) as coverage_eligible_before,
        share_if_content(sum(dissatisfied_new_s), sum(eligible_new_s)) as share_if_content,
        share_if_dissatisfied(
            sum(dissatisfied_new_s), sum(scored_new_s), sum(eligible_new_s)
        ) as share_if_dissatisfied,
        sum(count_new) filter (weight_new > 0) as count_compared,
        sum(count_new * weight_new) as weight,
        sum(weight_new * hits_new - weight_old * hits_old) / nullif(sum(count_new * weight_new), 0)
            as adjusted_change
    from weighed
    group by call_date, window_days, scope, queue
    having sum(count_new) > 0
),

fitted as (
    select
        weighed.call_date,
        weighed.window_days,
        weighed.scope,
        weighed.queue,
        weighed.stratum_queue,
        weighed.hour,
        weighed.weight_new / nullif(summed.weight, 0) as weight_new,
        weighed.weight_old / nullif(summed.weight, 0) as weight_old,
        weighed.pooled + weighed.weight_new * summed.adjusted_change as expected_new,
        weighed.pooled - weighed.weight_old * summed.adjusted_change as expected_old,
        summed.count_new,
        summed.hits_new,
        summed.count_old,
        summed.hits_old
    from weighed
    inner join summed
        on weighed.call_date = summed.call_date
        and weighed.window_days = summed.window_days
        and weighed.scope = summed.scope
        and weighed.queue is not distinct from summed.queue
    where least(summed.count_new, summed.count_old) >= getvariable('min_calls')
),

groups as (
    select null as customer, * from days
    union all by name
    select * from repeat_calls
),

scores as (
    select
        fitted.call_date,
        fitted.window_days,
        fitted.scope,
        fitted.queue,
        groups.customer,
        groups.day,
        groups.day > fitted.call_date - fitted.window_days as is_new,
        sum(groups.count_scored) as count_scored,
        sum(if(is_new,
            (groups.hits - groups.count_scored * fitted.hits_new / fitted.count_new)
            / fitted.count_new,
            (groups.hits - groups.count_scored * fitted.hits_old / fitted.count_old)
            / fitted.count_old
        )) as share_score,
        sum(groups.count_scored / if(is_new, fitted.count_new, fitted.count_old)) as share_leverage,
        sum(if(is_new,
            fitted.weight_new * (groups.hits - groups.count_scored * fitted.expected_new),
            -fitted.weight_old * (groups.hits - groups.count_scored * fitted.expected_old)
        )) as change_score,
        sum(if(is_new, fitted.weight_new, fitted.weight_old) * groups.count_scored)
            as change_leverage
    from fitted
    inner join groups
        on fitted.stratum_queue is not distinct from groups.queue
        and fitted.hour = groups.hour
        and groups.day <= fitted.call_date
        and groups.day > fitted.call_date - 2 * fitted.window_days
    where groups.count_scored > 0
    group by all
),

-- bad days that persist: they vary the means of windows more, and the dates within a window less
inflations as (
    select
        call_date,
        scope,
        window_days,
        mean_inflation(correlation_1, correlation_2, correlation_3, window_days, 1) as of_mean,
        mean_inflation(correlation_1, correlation_2, correlation_3, window_days, 1.5) as of_change,
        date_inflation(of_mean, window_days) as of_dates
    from stg_date_correlation
    cross join (values (7), (28)) as lengths(window_days)
),

variances_of_windows as (
    select
        scores.call_date,
        scores.window_days,
        scores.scope,
        scores.queue,
        is_new,
        count(*) as count_days,
        cluster_variance(share_score, share_leverage) * any_value(of_mean * of_dates)
            as share_variance,
        cluster_degrees(share_leverage) as share_degrees,
        cluster_variance(change_score, change_leverage) * any_value(of_change * of_dates)
            as change_variance,
        cluster_degrees(change_leverage) as change_degrees,
        any_value(of_change) as change_inflation
    from scores
    inner join inflations
        on scores.call_date = inflations.call_date
        and scores.window_days = inflations.window_days
        and scores.scope = inflations.scope
    where customer is null
    group by all
),

customers as (
    select
        call_date,
        window_days,
        scope,
        queue,
        sum(share_score) filter (is_new) ** 2
        - sum(share_score ** 2) filter (is_new) as share_new,
        sum(share_score) filter (not is_new) ** 2
        - sum(share_score ** 2) filter (not is_new) as share_old,
        sum(change_score) ** 2 - sum(change_score ** 2) as change
    from scores
    where customer is not null
    group by call_date, window_days, scope, queue, customer
),

customer_variances as (
    select
        call_date,
        window_days,
        scope,
        queue,
        greatest(0, sum(share_new)) as share_new,
        greatest(0, sum(share_old)) as share_old,
        greatest(0, sum(change)) as change
    from customers
    group by call_date, window_days, scope, queue
),

measured as (
    select
        summed.*,
        new_days.count_days,
        old_days.count_days as count_days_before,
        hits_new / count_new as share,
        hits_old / count_old as share_before,
        effective_count(
            hits_new, count_new, new_days.share_variance + coalesce(of_customers.share_new, 0)
        ) as effective_new,
        effective_count(
            hits_old, count_old, old_days.share_variance + coalesce(of_customers.share_old, 0)
        ) as effective_old,
        student_t(new_days.share_degrees) as quantile_new,
        student_t(old_days.share_degrees) as quantile_old,
        smooth_share(hits_new + hits_old, count_new + count_old) as smooth,
        new_days.change_variance + old_days.change_variance + coalesce(of_customers.change, 0)
            as variance,
        smooth * (1 - smooth) / weight as independent_variance,
        welch_degrees(
            new_days.change_variance,
            new_days.change_degrees,
            old_days.change_variance,
            old_days.change_degrees
        ) as degrees,
        student_t(welch_degrees(
            new_days.share_variance,
            new_days.share_degrees,
            old_days.share_variance,
            old_days.share_degrees
        )) as change_quantile
    from summed
    inner join variances_of_windows as new_days
        on summed.call_date = new_days.call_date
        and summed.window_days = new_days.window_days
        and summed.scope = new_days.scope
        and summed.queue is not distinct from new_days.queue
        and new_days.is_new
    inner join variances_of_windows as old_days
        on summed.call_date = old_days.call_date
        and summed.window_days = old_days.window_days
        and summed.scope = old_days.scope
        and summed.queue is not distinct from old_days.queue
        and not old_days.is_new
    left join customer_variances as of_customers
        on summed.call_date = of_customers.call_date
        and summed.window_days = of_customers.window_days
        and summed.scope = of_customers.scope
        and summed.queue is not distinct from of_customers.queue
),

judged as (
    select
        *,
        wilson_limit(share, effective_new, quantile_new, -1) as share_low,
        wilson_limit(share, effective_new, quantile_new, 1) as share_high,
        wilson_limit(share_before, effective_old, quantile_old, -1) as before_low,
        wilson_limit(share_before, effective_old, quantile_old, 1) as before_high,
        difference_low(
            share,
            wilson_limit(share, effective_new, change_quantile, -1),
            share_before,
            wilson_limit(share_before, effective_old, change_quantile, 1)
        ) as change_low,
        difference_high(
            share,
            wilson_limit(share, effective_new, change_quantile, 1),
            share_before,
            wilson_limit(share_before, effective_old, change_quantile, -1)
        ) as change_high,
        if(degrees is null, null, greatest(
            student_t(degrees) * sqrt(variance), 1.95996 * sqrt(independent_variance)
        )) as half_width,
        if(degrees is null, null, greatest(
            t_p_value(adjusted_change / nullif(sqrt(variance), 0), degrees),
            normal_p_value(adjusted_change / sqrt(independent_variance))
        )) as p_value
    from measured
),

ranked as (
    select
        *,
        p_value * count(p_value) over (partition by call_date, window_days, scope)
        / count(p_value) over (partition by call_date, window_days, scope order by p_value)
            as p_by_rank
    from judged
),

shown as (
    select
        *,
        if(p_value is null, null, min(p_by_rank) over (
            partition by call_date, window_days, scope order by p_value desc
        )) as q_value
    from ranked
)

select
    summed.call_date,
    summed.window_days,
    summed.scope,
    summed.queue,
    summed.count_new::bigint as count_scored_calls,
    summed.count_old::bigint as count_scored_calls_before,
    shown.count_days,
    shown.count_days_before,
    summed.coverage,
    summed.coverage_before,
    summed.coverage_eligible,
    summed.coverage_eligible_before,
    shown.share_if_content as dissatisfied_share_if_content,
    shown.share_if_dissatisfied as dissatisfied_share_if_dissatisfied,
    shown.share as dissatisfied_call_share,
    shown.share_low as dissatisfied_call_share_low,
    shown.share_high as dissatisfied_call_share_high,
    shown.share_before as dissatisfied_call_share_before,
    shown.before_low as dissatisfied_call_share_before_low,
    shown.before_high as dissatisfied_call_share_before_high,
    shown.share - shown.share_before as change,
    shown.change_low,
    shown.change_high,
    shown.adjusted_change,
    held(shown.adjusted_change - shown.half_width, -1, 1) as adjusted_change_low,
    held(shown.adjusted_change + shown.half_width, -1, 1) as adjusted_change_high,
    coalesce(shown.count_compared, 0) / shown.count_new as compared_share,
    shown.p_value,
    shown.q_value,
    shown.q_value <= 0.05 as is_beyond_chance,
    case
        when shown.p_value is not null then null
        when summed.count_old = 0 then 'no calls before'
        when shown.count_days is null then 'too few calls'
        when least(shown.count_days, shown.count_days_before) = 1 then 'single call date'
        else 'no queue and hour in common'
    end as not_compared_reason
from summed
left join shown
    on summed.call_date = shown.call_date
    and summed.window_days = shown.window_days
    and summed.scope = shown.scope
    and summed.queue is not distinct from shown.queue
order by summed.call_date, summed.window_days, summed.scope, summed.queue
