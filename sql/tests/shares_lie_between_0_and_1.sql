-- rule: dissatisfaction, its parts and coverage lie between 0 and 1, an interval holds its value
select recording_id, 'call_summary' as model
from call_summary
where not (
    coalesce(coverage, 0) between 0 and 1.0001
    and coalesce(dissatisfaction, 0) between 0 and 1
    and coalesce(dissatisfaction_peak, 0) between 0 and 1
    and coalesce(dissatisfied_share, 0) between 0 and 1.0001
)
union all by name
select call_date, queue, 'daily_dissatisfaction' as model
from daily_dissatisfaction
where not (
    coalesce(dissatisfaction between dissatisfaction_low and dissatisfaction_high, true)
    and coalesce(
        dissatisfied_call_share
        between dissatisfied_call_share_low - 0.0001 and dissatisfied_call_share_high + 0.0001,
        true
    )
)
