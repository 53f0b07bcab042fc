-- grain: one row a queue, over the 28 days to the last call date
-- version: 3
-- built: whole
-- count_calls: scored calls whose worst segment is dissatisfied
-- count_recovered_calls: of these, with a later segment that is not dissatisfied; the others end
--   before: their time to recover is longer than what was recorded of them (censored)
-- recovered_share_60s: share that has recovered 60 s after the worst segment, Kaplan-Meier, 0..1;
--   withheld (null), as all that follows, where there are fewer calls than the setting
--   report.min_calls
-- recovery_median_s: median time from the worst segment to recovery, Kaplan-Meier, seconds; null
--   where less than half recover in the time recorded
-- recovery_median_low_s: lower end of its 95 % interval, Brookmeyer and Crowley on the complementary
--   log-log scale, Student's t, clustered by call date and customer (Williams), seconds; null, as the
--   upper end, where all calls are of one customer or no time has a part of them recovered
-- recovery_median_high_s: upper end of its 95 % interval; null: beyond what was recorded
with calls as (
    select
        queue,
        call_date,
        coalesce(customer, recording_id) as customer,
        recovery_watched_s as time_s,
        (recovery_s is not null)::int as is_recovered
    from call_summary
    where recovery_watched_s is not null
        and call_date > (select max(call_date) from call_summary) - 28
),

times as (
    select
        queue,
        time_s,
        sum(is_recovered) as recovered,
        sum(count(*)) over (partition by queue order by time_s desc) as at_risk
    from calls
    group by queue, time_s
),

steps as (
    select
        queue,
        time_s,
        recovered,
        at_risk,
        sum(ln(1 - recovered / at_risk)) filter (recovered < at_risk) over earlier as log_survival,
        bool_or(recovered = at_risk) over earlier as is_over,
        sum(recovered / (at_risk * (at_risk - recovered))) filter (recovered < at_risk) over earlier
            as greenwood
    from times
    window earlier as (partition by queue order by time_s)
),

curves as (
    select *, if(is_over, 0, coalesce(exp(log_survival), 1)) as survival
    from steps
),

medians as (
    select
        queue,
        min(time_s) filter (survival <= 0.5) as median_s,
        max(time_s) filter (survival > 0) as last_s,
        1 - coalesce(arg_max(survival, time_s) filter (time_s <= 60), 1) as recovered_60
    from curves
    group by queue
),

-- what each call adds to the log of the share that has not recovered by the median, or by the last
-- time before all have
-- Source: Williams (1995), Lifetime Data Analysis 1, 171-186.
influences as (
    select
        calls.queue as category,
        call_date,
        customer,
        if(calls.is_recovered = 1 and calls.time_s = curves.time_s, 1 / (at_risk - recovered), 0)
        - coalesce(greenwood, 0) as part,
        1 as whole,
        max(greenwood) over (partition by calls.queue) as independent
    from calls
    inner join medians on calls.queue is not distinct from medians.queue
    inner join curves
        on calls.queue is not distinct from curves.queue
        and curves.time_s = least(calls.time_s, coalesce(median_s, last_s), last_s)
),

totals as (
    select
        category as queue,
        count(*) as count_calls,
        any_value(independent) as independent
    from influences
    group by category
),

clustered as (
    from clustered_by(influences)
),

effects as (
    select
        totals.queue,
        greatest(1, variance * count_calls ** 2 / nullif(independent, 0)) as effect,
        student_t(degrees) as quantile,
        variance is not null as is_known
    from totals
    inner join clustered on totals.queue is not distinct from clustered.category
),

deviates as (
    select
        curves.queue,
        time_s,
        survival,
        quantile,
        (ln(-nullif(log_survival, 0)) - ln(ln(2))) / (sqrt(greenwood * effect) / -log_survival)
            as deviate
    from curves
    inner join effects on curves.queue is not distinct from effects.queue
    where survival > 0 and survival < 1 and is_known  -- at 0 the scale has no deviate
),

intervals as (
    select
        queue,
        min(time_s) filter (deviate >= -quantile) as low_s,
        min(time_s) filter (deviate > quantile) as high_s
    from deviates
    group by queue
),

counted as (
    select
        queue,
        count(*) as count_calls,
        sum(is_recovered)::bigint as count_recovered_calls
    from calls
    group by queue
)

select
    counted.queue,
    count_calls,
    count_recovered_calls,
    suppress_small_n(recovered_60, count_calls) as recovered_share_60s,
    suppress_small_n(median_s, count_calls) as recovery_median_s,
    suppress_small_n(low_s, count_calls) as recovery_median_low_s,
    suppress_small_n(high_s, count_calls) as recovery_median_high_s
from counted
inner join medians on counted.queue is not distinct from medians.queue
left join intervals on counted.queue is not distinct from intervals.queue
order by counted.queue
