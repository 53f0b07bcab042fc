-- grain: one row a call date and reason why calls carry no dissatisfaction
-- version: 3
-- built: by call date
-- count_calls: recordings
-- duration_s: their length, seconds
-- count_day_calls: all recordings of the call date
-- call_share: share of these that carry none for this reason, 0..1; withheld (null), with its
--   interval, where the call date has fewer recordings than the setting report.min_calls
-- call_share_low: lower end of its 95 % interval, Wilson, clustered by customer
-- call_share_high: upper end of its 95 % interval, Wilson, clustered by customer
with callers as (
    select
        call_date,
        coalesce(customer, recording_id) as caller,
        not_scored_reason,
        count(*) as count_calls,
        sum(duration_s) as duration_s
    from call_summary
    group by all
),

days as (
    select call_date, caller, sum(count_calls) as count_all
    from callers
    group by call_date, caller
),

reasons as (
    select distinct call_date, not_scored_reason
    from callers
    where not_scored_reason is not null
),

clusters as (
    select
        days.call_date,
        reasons.not_scored_reason,
        coalesce(callers.count_calls, 0) as hits,
        coalesce(callers.duration_s, 0) as duration_s,
        days.count_all
    from days
    inner join reasons using (call_date)
    left join callers
        on days.call_date = callers.call_date
        and days.caller = callers.caller
        and reasons.not_scored_reason = callers.not_scored_reason
),

counted as (
    select
        call_date,
        not_scored_reason,
        sum(hits)::bigint as count_calls,
        sum(duration_s) as duration_s,
        sum(count_all)::bigint as count_day_calls,
        clustered_share(hits, count_all) as clustered
    from clusters
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
    suppress_small_n(clustered_low(clustered), count_day_calls) as call_share_low,
    suppress_small_n(clustered_high(clustered), count_day_calls) as call_share_high
from counted
left join stg_not_scored_reasons as reasons on counted.not_scored_reason = reasons.code
order by call_date, not_scored_reason
