-- question: which calls are not scored, and why?
select
    calls.not_scored_reason,
    reasons.meaning,
    reasons.remedy,
    count(*) as count_calls,
    sum(calls.duration_s) as duration_s
from call_summary as calls
inner join stg_not_scored_reasons as reasons on calls.not_scored_reason = reasons.code
where $period
group by all
order by count_calls desc, not_scored_reason
