-- question: which calls are worth hearing first?
with worst_calls as (
    select *
    from call_summary
    where call_date between $from_date and $to_date and dissatisfied_share > 0
    order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
    limit $calls_to_listen
),

arcs as (
    select
        recording_id,
        list(
            {
                'start_s': start_s,
                'end_s': end_s,
                'emotion': emotion,
                'dissatisfaction': dissatisfaction
            }
            order by start_s
        ) as arc
    from segment_emotion
    where recording_id in (select recording_id from worst_calls)
    group by recording_id
)

select worst_calls.*, arcs.arc
from worst_calls
inner join arcs using (recording_id)
order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
