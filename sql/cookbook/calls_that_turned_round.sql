-- question: Which calls began dissatisfied and ended well?
select
    call_id,
    queue,
    started_at,
    dissatisfaction_start,
    dissatisfaction_end,
    worst_start_s,
    recovery_s,
    path
from call_summary
where arc = 'improving'
order by dissatisfaction_start - dissatisfaction_end desc, call_id
limit 50
