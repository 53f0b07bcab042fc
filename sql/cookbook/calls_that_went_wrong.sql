-- question: Which calls began well and ended dissatisfied?
select
    call_id,
    queue,
    started_at,
    dissatisfaction_start,
    dissatisfaction_end,
    worst_start_s,
    path
from call_summary
where arc = 'worsening'
order by dissatisfaction_end - dissatisfaction_start desc, call_id
limit 50
