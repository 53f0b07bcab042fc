-- grain: one row a call date, length of window (7 or 28 days) and queue; scope `all` sums the queues
-- version: 3
-- built: whole
-- call_date: last day of the window
-- window_days: length of the window, days; it is compared with the window before it
-- scope: all or queue
-- count_scored_calls: calls of the window with a dissatisfaction
-- count_scored_calls_before: the same, window before
-- coverage: scored seconds over seconds of the customers' segments in the window, 0..1
-- coverage_before: the same, window before; null: it has no such segment
-- dissatisfied_call_share: share of them that are dissatisfied, 0..1; withheld (null), as all that
--   follows, where either window has fewer scored calls than the setting report.min_calls
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson
-- dissatisfied_call_share_high: upper end of its 95 % interval, Wilson
-- dissatisfied_call_share_before: the same, window before
-- dissatisfied_call_share_before_low: lower end of its 95 % interval, Wilson
-- dissatisfied_call_share_before_high: upper end of its 95 % interval, Wilson
-- change: share minus share before, -1..1
-- change_low: lower end of its 95 % interval, Newcombe's from both Wilson intervals
-- change_high: upper end of its 95 % interval, Newcombe's from both Wilson intervals
-- adjusted_change: mean change within queue and hour of day, weighted by the window's calls: what
--   changed beside the mix of calls; queues and hours that one window lacks are left out
-- adjusted_change_low: lower end of its 95 % interval, normal, strata smoothed by one call each way;
--   held within -1..1, as its upper end
-- adjusted_change_high: upper end of its 95 % interval
-- compared_share: share of the window's scored calls that adjusted_change rests on, 0..1
-- is_beyond_chance: the interval of adjusted_change excludes 0
with strata as (
    select
        call_date,
        queue,
        hour,
        count(dissatisfaction) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(scored_s) as scored_s,
        sum(customer_s) as customer_s
    from call_summary
    group by call_date, queue, hour
),

dates as (
    select dates.call_date, windows.window_days
    from (select distinct call_date from call_summary) as dates
    cross join (values (7), (28)) as windows(window_days)
),

windows as (
    select
        dates.call_date,
        dates.window_days,
        strata.queue,
        strata.hour,
        coalesce(sum(count_scored) filter (is_new), 0) as count_new,
        coalesce(sum(hits) filter (is_new), 0) as hits_new,
        coalesce(sum(count_scored) filter (not is_new), 0) as count_old,
        coalesce(sum(hits) filter (not is_new), 0) as hits_old,
        sum(scored_s) filter (is_new) as scored_new_s,
        sum(customer_s) filter (is_new) as customer_new_s,
        sum(scored_s) filter (not is_new) as scored_old_s,
        sum(customer_s) filter (not is_new) as customer_old_s
    from dates
    inner join strata
        on strata.call_date <= dates.call_date
        and strata.call_date > dates.call_date - 2 * dates.window_days
    cross join lateral (select strata.call_date > dates.call_date - dates.window_days) as part(is_new)
    group by dates.call_date, dates.window_days, strata.queue, strata.hour
),

strata_of_scopes as (
    select 'queue' as scope, * from windows
    union all by name
    select 'all' as scope, * replace (null as queue), queue as stratum_queue from windows
),

compared as (
    select
        *,
        count_new > 0 and count_old > 0 as is_compared,
        hits_new / nullif(count_new, 0) - hits_old / nullif(count_old, 0) as difference,
        (hits_new + 1) / (count_new + 2) as smooth_new,
        (hits_old + 1) / (count_old + 2) as smooth_old
    from strata_of_scopes
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
        sum(count_new) filter (is_compared) as count_compared,
        sum(count_new * difference) filter (is_compared) as weighted_difference,
        sum(
            count_new ** 2
            * (smooth_new * (1 - smooth_new) / count_new + smooth_old * (1 - smooth_old) / count_old)
        ) filter (is_compared) as weighted_variance
    from compared
    group by all
),

adjusted as (
    select
        *,
        weighted_difference / count_compared as adjusted_change,
        1.95996 * sqrt(weighted_variance) / count_compared as half_width
    from summed
),

shown as (
    select *
    from adjusted
    where least(count_new, count_old) >= getvariable('min_calls')
)

select
    summed.call_date,
    summed.window_days,
    summed.scope,
    summed.queue,
    summed.count_new::bigint as count_scored_calls,
    summed.count_old::bigint as count_scored_calls_before,
    summed.coverage,
    summed.coverage_before,
    shown.hits_new / shown.count_new as dissatisfied_call_share,
    wilson_low(shown.hits_new, shown.count_new) as dissatisfied_call_share_low,
    wilson_high(shown.hits_new, shown.count_new) as dissatisfied_call_share_high,
    shown.hits_old / shown.count_old as dissatisfied_call_share_before,
    wilson_low(shown.hits_old, shown.count_old) as dissatisfied_call_share_before_low,
    wilson_high(shown.hits_old, shown.count_old) as dissatisfied_call_share_before_high,
    shown.hits_new / shown.count_new - shown.hits_old / shown.count_old as change,
    change_low(shown.hits_new, shown.count_new, shown.hits_old, shown.count_old) as change_low,
    change_high(shown.hits_new, shown.count_new, shown.hits_old, shown.count_old) as change_high,
    shown.adjusted_change,
    greatest(-1, shown.adjusted_change - shown.half_width) as adjusted_change_low,
    least(1, shown.adjusted_change + shown.half_width) as adjusted_change_high,
    coalesce(shown.count_compared, 0) / shown.count_new as compared_share,
    abs(shown.adjusted_change) > shown.half_width as is_beyond_chance
from summed
left join shown
    on summed.call_date = shown.call_date
    and summed.window_days = shown.window_days
    and summed.scope = shown.scope
    and summed.queue is not distinct from shown.queue
where summed.count_new > 0
order by summed.call_date, summed.window_days, summed.scope, summed.queue
