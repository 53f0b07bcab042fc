-- rule: either a dissatisfaction or a known reason why there is none, never both
select call_summary.*
from call_summary
left join stg_not_scored_reasons as reasons on call_summary.not_scored_reason = reasons.code
where (dissatisfaction is null) = (reasons.code is null)
