-- grain: one row a queue, weekday and hour, over the 28 days to the last call date
-- version: 1
-- built: whole
-- weekday: day of the week, 1 Monday..7 Sunday
-- hour: hour of the day in which the calls started, 0..23
-- count_calls: recordings
-- count_scored_calls: of these, with a dissatisfaction
-- coverage: scored seconds over seconds of the customers' segments, 0..1
-- dissatisfaction: mean over the scored calls, 0..1; withheld (null), as all that follows, where
--   fewer calls are scored than the setting report.min_calls
-- dissatisfaction_low: lower end of its 95 % interval, Student's t over calls
-- dissatisfaction_high: upper end of its 95 % interval, Student's t over calls
-- dissatisfied_call_share: share of the scored calls that are dissatisfied, 0..1
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson
-- dissatisfied_call_share_high: upper end of its 95 % interval, Wilson
with last_weeks as (
    select *
    from call_summary
    where call_date > (select max(call_date) from call_summary) - 28
),

counted as (
    select
        queue,
        weekday,
        hour,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage,
        avg(dissatisfaction) as mean_dissatisfaction,
        mean_half_width(dissatisfaction) as half_width,
        count(*) filter (is_dissatisfied) as hits,
        count(dissatisfaction) >= getvariable('min_calls') as is_shown
    from last_weeks
    group by queue, weekday, hour
)

select
    queue,
    weekday,
    hour,
    count_calls,
    count_scored_calls,
    coverage,
    if(is_shown, mean_dissatisfaction, null) as dissatisfaction,
    if(is_shown, greatest(0, mean_dissatisfaction - half_width), null) as dissatisfaction_low,
    if(is_shown, least(1, mean_dissatisfaction + half_width), null) as dissatisfaction_high,
    if(is_shown, hits / count_scored_calls, null) as dissatisfied_call_share,
    if(is_shown, wilson_low(hits, count_scored_calls), null) as dissatisfied_call_share_low,
    if(is_shown, wilson_high(hits, count_scored_calls), null) as dissatisfied_call_share_high
from counted
order by queue, weekday, hour
