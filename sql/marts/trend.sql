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

-- a number joins faster than two names, of which one may be null
numbers as (
    select queue, hour, row_number() over (order by queue, hour) as stratum
    from (select distinct queue, hour from days)
),

-- place + 2 * stratum + is_new numbers the strata of both halves of all windows
windows as (
    select
        call_date,
        window_days,
        2 * (select count(*) + 1 from numbers) * row_number() over (order by call_date, window_days)
            as place
    from (
        select distinct day as call_date
        from days
        where coalesce(list_contains(getvariable('end_dates')::date[], day), true)
    )
    cross join (values (7), (28)) as lengths(window_days)
),

halves as (
    select
        windows.call_date,
        windows.window_days,
        days.queue,
        days.hour,
        days.day > windows.call_date - windows.window_days as is_new,
        sum(count_scored) as count_scored,
        sum(hits) as hits,
        sum(scored_s) as scored_s,
        sum(customer_s) as customer_s,
        sum(eligible_s) as eligible_s,
        sum(dissatisfied_s) as dissatisfied_s
    from windows
    inner join days
        on days.day <= windows.call_date
        and days.day > windows.call_date - 2 * windows.window_days
    group by windows.call_date, windows.window_days, days.queue, days.hour, is_new
),

strata as (
    select
        call_date,
        window_days,
        queue,
        hour,
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
    from halves
    group by call_date, window_days, queue, hour
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
        row_number() over (order by call_date, window_days, scope, queue) as group_no,
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

numbered_days as (
    select days.day, days.count_scored, days.hits, numbers.stratum
    from days
    inner join numbers on days.queue is not distinct from numbers.queue and days.hour = numbers.hour
    where days.count_scored > 0
),

repeat_customers as (
    select customer, is_frequent, row_number() over () as customer_no
    from (
        select customer, count(*) > 24 as is_frequent
        from call_summary
        where customer is not null and dissatisfaction is not null
        group by customer
        having min(call_date) < max(call_date)
    )
),

repeat_calls as (
    select
        customer_no,
        calls.call_date as day,
        numbers.stratum,
        count(*)::double as count_scored,
        count(*) filter (calls.is_dissatisfied)::double as hits,
        any_value(is_frequent) as is_frequent
    from call_summary as calls
    inner join repeat_customers on calls.customer = repeat_customers.customer
    inner join numbers on calls.queue is not distinct from numbers.queue and calls.hour = numbers.hour
    where calls.dissatisfaction is not null
    group by customer_no, calls.call_date, numbers.stratum
),

pairs as (
    select
        calls.day,
        calls.stratum,
        calls.count_scored,
        calls.hits,
        later.day as later_day,
        later.stratum as later_stratum,
        later.count_scored as later_count_scored,
        later.hits as later_hits
    from repeat_calls as calls
    inner join repeat_calls as later
        on calls.customer_no = later.customer_no and calls.day < later.day and later.day < calls.day + 56
    where not calls.is_frequent
),

-- what the scores of a stratum's calls rest on, in a window and in the one before it
fitted as (
    select
        weighed.call_date,
        weighed.window_days,
        weighed.scope,
        summed.group_no,
        numbers.stratum,
        half.is_new,
        weighed.call_date - if(half.is_new, 1, 2) * weighed.window_days as after_day,
        weighed.call_date - if(half.is_new, 0, 1) * weighed.window_days as last_day,
        if(half.is_new, summed.count_new, summed.count_old) as count_all,
        if(half.is_new, summed.hits_new, summed.hits_old) / count_all as share,
        if(half.is_new, weighed.weight_new, -weighed.weight_old) / nullif(summed.weight, 0) as weight,
        weighed.pooled
        + if(half.is_new, weighed.weight_new, -weighed.weight_old) * summed.adjusted_change as expected
    from weighed
    inner join summed
        on weighed.call_date = summed.call_date
        and weighed.window_days = summed.window_days
        and weighed.scope = summed.scope
        and weighed.queue is not distinct from summed.queue
    inner join numbers
        on weighed.stratum_queue is not distinct from numbers.queue
        and weighed.hour = numbers.hour
    cross join (values (true), (false)) as half(is_new)
    where least(summed.count_new, summed.count_old) >= getvariable('min_calls')
),

day_scores as (
    select
        fitted.group_no,
        days.day,
        fitted.is_new,
        sum((days.hits - days.count_scored * fitted.share) / fitted.count_all) as share_score,
        sum(days.count_scored / fitted.count_all) as share_leverage,
        sum(fitted.weight * (days.hits - days.count_scored * fitted.expected)) as change_score,
        sum(abs(fitted.weight) * days.count_scored) as change_leverage
    from fitted
    inner join numbered_days as days
        on fitted.stratum = days.stratum
        and days.day > fitted.after_day
        and days.day <= fitted.last_day
    group by fitted.group_no, days.day, fitted.is_new
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
        day_scores.group_no,
        day_scores.is_new,
        count(*) as count_days,
        cluster_variance(share_score, share_leverage) * any_value(of_mean * of_dates)
            as share_variance,
        cluster_degrees(share_leverage) as share_degrees,
        cluster_variance(change_score, change_leverage) * any_value(of_change * of_dates)
            as change_variance,
        cluster_degrees(change_leverage) as change_degrees,
        any_value(of_change) as change_inflation
    from day_scores
    inner join summed on day_scores.group_no = summed.group_no
    inner join inflations
        on summed.call_date = inflations.call_date
        and summed.window_days = inflations.window_days
        and summed.scope = inflations.scope
    group by day_scores.group_no, day_scores.is_new
),

-- (a + b)² - a² - b² is 2ab: what the calls of a customer on several dates share is a sum over
-- pairs of them, which are few; of customers with many calls, it is the difference itself
pairs_of_windows as (
    select
        place + 2 * pairs.stratum + (pairs.day > windows.call_date - windows.window_days)::int as place,
        place + 2 * pairs.later_stratum
        + (pairs.later_day > windows.call_date - windows.window_days)::int as later_place,
        pairs.count_scored,
        pairs.hits,
        pairs.later_count_scored,
        pairs.later_hits
    from pairs
    inner join windows
        on pairs.later_day <= windows.call_date
        and pairs.day > windows.call_date - 2 * windows.window_days
),

-- by what hits and calls of a stratum are multiplied in the scores of both scopes, in one row
factors as (
    select
        place + 2 * stratum + is_new::int as place,
        is_new,
        max(group_no) filter (scope = 'all') as group_all,
        max(1 / count_all) filter (scope = 'all') as hit_share_all,
        max(share / count_all) filter (scope = 'all') as call_share_all,
        max(weight) filter (scope = 'all') as hit_change_all,
        max(weight * expected) filter (scope = 'all') as call_change_all,
        max(group_no) filter (scope = 'queue') as group_queue,
        max(1 / count_all) filter (scope = 'queue') as hit_share_queue,
        max(share / count_all) filter (scope = 'queue') as call_share_queue,
        max(weight) filter (scope = 'queue') as hit_change_queue,
        max(weight * expected) filter (scope = 'queue') as call_change_queue
    from fitted
    inner join windows using (call_date, window_days)
    group by place, stratum, is_new
),

scored_pairs as (
    select
        one.group_all,
        case when one.group_queue = two.group_queue then one.group_queue end as group_queue,
        one.is_new,
        two.is_new as later_is_new,
        (hits * one.hit_share_all - count_scored * one.call_share_all)
        * (later_hits * two.hit_share_all - later_count_scored * two.call_share_all) as share_all,
        (hits * one.hit_change_all - count_scored * one.call_change_all)
        * (later_hits * two.hit_change_all - later_count_scored * two.call_change_all) as change_all,
        (hits * one.hit_share_queue - count_scored * one.call_share_queue)
        * (later_hits * two.hit_share_queue - later_count_scored * two.call_share_queue)
            as share_queue,
        (hits * one.hit_change_queue - count_scored * one.call_change_queue)
        * (later_hits * two.hit_change_queue - later_count_scored * two.call_change_queue)
            as change_queue
    from pairs_of_windows as pairs
    inner join factors as one on pairs.place = one.place
    inner join factors as two on pairs.later_place = two.place
),

summed_pairs as (
    select
        group_all,
        group_queue,
        is_new,
        later_is_new,
        2 * sum(share_all) as share_all,
        2 * sum(change_all) as change_all,
        2 * sum(share_queue) as share_queue,
        2 * sum(change_queue) as change_queue
    from scored_pairs
    group by group_all, group_queue, is_new, later_is_new
),

of_pairs as (
    select
        group_no,
        sum(share) filter (is_new and later_is_new) as share_new,
        sum(share) filter (not is_new and not later_is_new) as share_old,
        sum(change) as change
    from (
        select group_all as group_no, is_new, later_is_new, share_all as share, change_all as change
        from summed_pairs
        union all
        select group_queue, is_new, later_is_new, share_queue, change_queue
        from summed_pairs
        where group_queue is not null
    )
    group by group_no
),

frequent_scores as (
    select
        fitted.group_no,
        calls.customer_no,
        calls.day,
        fitted.is_new,
        sum((calls.hits - calls.count_scored * fitted.share) / fitted.count_all) as share_score,
        sum(fitted.weight * (calls.hits - calls.count_scored * fitted.expected)) as change_score
    from repeat_calls as calls
    inner join fitted
        on calls.stratum = fitted.stratum
        and calls.day > fitted.after_day
        and calls.day <= fitted.last_day
    where calls.is_frequent
    group by fitted.group_no, calls.customer_no, calls.day, fitted.is_new
),

of_frequent as (
    select
        group_no,
        sum(share_score) filter (is_new) ** 2
        - sum(share_score ** 2) filter (is_new) as share_new,
        sum(share_score) filter (not is_new) ** 2
        - sum(share_score ** 2) filter (not is_new) as share_old,
        sum(change_score) ** 2 - sum(change_score ** 2) as change
    from frequent_scores
    group by group_no, customer_no
),

customer_variances as (
    select
        group_no,
        greatest(0, sum(share_new)) as share_new,
        greatest(0, sum(share_old)) as share_old,
        greatest(0, sum(change)) as change
    from (
        select * from of_pairs
        union all
        select * from of_frequent
    )
    group by group_no
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
        on summed.group_no = new_days.group_no
        and new_days.is_new
    inner join variances_of_windows as old_days
        on summed.group_no = old_days.group_no
        and not old_days.is_new
    left join customer_variances as of_customers
        on summed.group_no = of_customers.group_no
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
    on summed.group_no = shown.group_no
order by summed.call_date, summed.window_days, summed.scope, summed.queue
