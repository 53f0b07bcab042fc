-- grain: one row a queue, weekday and hour, over the 28 days to the last call date
-- version: 4
-- built: whole
-- weekday: day of the week, 1 Monday..7 Sunday
-- hour: hour of the day in which the calls started, 0..23
-- count_calls: recordings
-- count_scored_calls: of these, with a dissatisfaction
-- count_days: call dates with a scored call
-- coverage: scored seconds over seconds of the customers' segments, 0..1
-- coverage_eligible: scored seconds over seconds of the segments that may be scored, 0..1
-- design_effect: variance of the queue's hourly shares over that of independent calls, 1 or more,
--   from calls of the same hour on several dates; null where no hour has two dates: the intervals then
--   describe these dates alone
-- dissatisfied_share_if_content: share of the eligible speech that is dissatisfied if all uncertain
--   speech were content, 0..1; withheld (null), as all that follows, where fewer calls are scored
--   than the setting report.min_calls
-- dissatisfied_share_if_dissatisfied: the same if all uncertain speech were dissatisfied, 0..1
-- dissatisfaction: mean over the scored calls, 0..1
-- dissatisfaction_low: lower end of its 95 % interval, Student's t over calls, widened by the design
--   effect; null where all calls have the same
-- dissatisfaction_high: upper end of its 95 % interval
-- dissatisfied_call_share: share of the scored calls that are dissatisfied, 0..1
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson with the effective number of
--   calls
-- dissatisfied_call_share_high: upper end of its 95 % interval
-- dissatisfied_call_share_elsewhere: the share in the other hours of the queue, 0..1
-- p_value: chance of a difference from the other hours at least as large where there is none,
--   two-sided; null, as all that follows, where design_effect is
-- q_value: p_value corrected for the number of hours shown (false discovery rate, Benjamini and
--   Hochberg)
-- is_beyond_chance: q_value is at most 0.05
with last_weeks as (
    select *
    from call_summary
    where call_date > (select max(call_date) from call_summary) - 28
),

cells as (
    select
        queue,
        weekday,
        hour,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        count(distinct call_date) filter (dissatisfaction is not null) as count_days,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage,
        sum(scored_s) / nullif(sum(eligible_s), 0) as coverage_eligible,
        share_if_content(sum(dissatisfied_s), sum(eligible_s)) as if_content,
        share_if_dissatisfied(sum(dissatisfied_s), sum(scored_s), sum(eligible_s))
            as if_dissatisfied,
        avg(dissatisfaction) as mean_dissatisfaction,
        mean_half_width(dissatisfaction) as half_width,
        count(*) filter (is_dissatisfied) as hits
    from last_weeks
    group by queue, weekday, hour
),

dates as (
    select
        queue,
        weekday,
        hour,
        count(*) filter (is_dissatisfied) as date_hits,
        count(dissatisfaction) as date_count
    from last_weeks
    where dissatisfaction is not null
    group by queue, weekday, hour, call_date
),

clustered as (
    select
        cells.queue,
        cluster_variance(
            date_hits - date_count * hits / count_scored_calls, date_count / count_scored_calls
        ) as variance,
        any_value(hits * (count_scored_calls - hits) / nullif(count_scored_calls - 1, 0))
            as independent
    from dates
    inner join cells
        on dates.queue is not distinct from cells.queue
        and dates.weekday = cells.weekday
        and dates.hour = cells.hour
    where count_days > 1
    group by cells.queue, cells.weekday, cells.hour
),

queues as (
    select
        cells.queue,
        sum(hits) as queue_hits,
        sum(count_scored_calls) as queue_count,
        case when any_value(effects.effect) is not null then greatest(1, any_value(effects.effect)) end
            as design_effect,
        coalesce(design_effect, 1) as effect
    from cells
    left join (
        select queue, sum(variance) / nullif(sum(independent), 0) as effect
        from clustered
        group by queue
    ) as effects on cells.queue is not distinct from effects.queue
    group by cells.queue
),

compared as (
    select
        cells.*,
        queues.design_effect,
        queues.effect,
        count_scored_calls >= getvariable('min_calls') as is_shown,
        (queue_hits - hits) / nullif(queue_count - count_scored_calls, 0) as elsewhere,
        smooth_share(queue_hits, queue_count) as smooth,
        if(is_shown, normal_p_value(
            (hits / count_scored_calls - elsewhere)
            / sqrt(
                design_effect * smooth * (1 - smooth)
                * (1 / count_scored_calls + 1 / (queue_count - count_scored_calls))
            )
        ), null) as p_value
    from cells
    inner join queues on cells.queue is not distinct from queues.queue
),

ranked as (
    select
        *,
        p_value * count(p_value) over () / count(p_value) over (order by p_value) as p_by_rank
    from compared
),

judged as (
    select
        *,
        if(p_value is null, null, min(p_by_rank) over (order by p_value desc)) as q_value
    from ranked
)

select
    queue,
    weekday,
    hour,
    count_calls,
    count_scored_calls,
    count_days,
    coverage,
    coverage_eligible,
    design_effect,
    if(is_shown, if_content, null) as dissatisfied_share_if_content,
    if(is_shown, if_dissatisfied, null) as dissatisfied_share_if_dissatisfied,
    if(is_shown, mean_dissatisfaction, null) as dissatisfaction,
    if(is_shown, held(mean_dissatisfaction - half_width * sqrt(effect), 0, 1), null)
        as dissatisfaction_low,
    if(is_shown, held(mean_dissatisfaction + half_width * sqrt(effect), 0, 1), null)
        as dissatisfaction_high,
    if(is_shown, hits / count_scored_calls, null) as dissatisfied_call_share,
    if(is_shown, wilson_low(hits / effect, count_scored_calls / effect), null)
        as dissatisfied_call_share_low,
    if(is_shown, wilson_high(hits / effect, count_scored_calls / effect), null)
        as dissatisfied_call_share_high,
    if(is_shown, elsewhere, null) as dissatisfied_call_share_elsewhere,
    p_value,
    q_value,
    q_value <= 0.05 as is_beyond_chance
from judged
order by queue, weekday, hour
