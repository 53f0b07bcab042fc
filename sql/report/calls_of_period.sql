-- question: which calls were there, the flagged ones first?
select
    call_summary.*,
    reasons.meaning as not_scored_meaning
from call_summary
left join stg_not_scored_reasons as reasons on call_summary.not_scored_reason = reasons.code
where $period
order by is_dissatisfied desc nulls last, dissatisfaction desc nulls last, started_at, recording_id
