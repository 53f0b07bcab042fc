-- grain: one row a queue, over the 28 days to the last call date
-- version: 1
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
--   log-log scale; calls taken as independent, seconds
-- recovery_median_high_s: upper end of its 95 % interval; null: beyond what was recorded
with calls as (
    select queue, recovery_watched_s as time_s, (recovery_s is not null)::int as is_recovered
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
        sum(ln(1 - recovered / at_risk)) filter (recovered < at_risk) over earlier as log_survival,
        bool_or(recovered = at_risk) over earlier as is_over,
        sum(recovered / (at_risk * (at_risk - recovered))) filter (recovered < at_risk) over earlier
            as greenwood
    from times
    window earlier as (partition by queue order by time_s)
),

curves as (
    select
        queue,
        time_s,
        if(is_over, 0, exp(log_survival)) as survival,
        if(
            is_over or log_survival = 0,
            null,
            (ln(-log_survival) - ln(ln(2))) / (sqrt(greenwood) / abs(log_survival))
        ) as deviate
    from steps
),

medians as (
    select
        queue,
        min(time_s) filter (survival <= 0.5) as median_s,
        min(time_s) filter (survival < 1 and (survival = 0 or deviate >= -1.95996)) as low_s,
        min(time_s) filter (survival = 0 or deviate > 1.95996) as high_s,
        1 - coalesce(arg_max(survival, time_s) filter (time_s <= 60), 1) as recovered_60
    from curves
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
order by counted.queue
