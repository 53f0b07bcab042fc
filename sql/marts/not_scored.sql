-- grain: one row a call date and reason why calls carry no dissatisfaction
-- version: 1
-- built: by call date
-- count_calls: recordings
-- duration_s: their length, seconds
select
    calls.call_date,
    calls.not_scored_reason,
    reasons.meaning,
    reasons.remedy,
    count(*) as count_calls,
    sum(calls.duration_s) as duration_s
from call_summary as calls
left join stg_not_scored_reasons as reasons on calls.not_scored_reason = reasons.code
where calls.not_scored_reason is not null
group by all
order by call_date, not_scored_reason
