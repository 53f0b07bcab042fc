-- grain: one row a call date and reason why calls carry no dissatisfaction
-- version: 2
-- built: by call date
-- count_calls: recordings
-- duration_s: their length, seconds
-- count_day_calls: all recordings of the call date
-- call_share: share of these that carry none for this reason, 0..1; withheld (null), with its
--   interval, where the call date has fewer recordings than the setting report.min_calls
-- call_share_low: lower end of its 95 % interval, Wilson
-- call_share_high: upper end of its 95 % interval, Wilson
with days as (
    select call_date, count(*) as count_day_calls
    from call_summary
    group by call_date
),

counted as (
    select
        call_date,
        not_scored_reason,
        count(*) as count_calls,
        sum(duration_s) as duration_s
    from call_summary
    where not_scored_reason is not null
    group by call_date, not_scored_reason
)

select
    call_date,
    not_scored_reason,
    reasons.meaning,
    reasons.remedy,
    count_calls,
    duration_s,
    count_day_calls,
    suppress_small_n(count_calls / count_day_calls, count_day_calls) as call_share,
    suppress_small_n(wilson_low(count_calls, count_day_calls), count_day_calls) as call_share_low,
    suppress_small_n(wilson_high(count_calls, count_day_calls), count_day_calls) as call_share_high
from counted
inner join days using (call_date)
left join stg_not_scored_reasons as reasons on counted.not_scored_reason = reasons.code
order by call_date, not_scored_reason
