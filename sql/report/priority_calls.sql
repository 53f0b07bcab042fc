-- question: which calls have priority, to listen to first?
-- the worst of all calls, and the worst of each queue: flagged calls first, then by the index
with ranked_calls as (
    select
        *,
        row_number() over worst_first as place,
        row_number() over (
            partition by queue
            order by is_dissatisfied desc, dissatisfaction desc, dissatisfaction_peak desc, recording_id
        ) as place_in_queue
    from call_summary
    where $period and (is_dissatisfied or dissatisfied_share > 0)
    window worst_first as (
        order by is_dissatisfied desc, dissatisfaction desc, dissatisfaction_peak desc, recording_id
    )
),

worst_calls as (
    select *
    from ranked_calls
    where place <= $priority_calls or place_in_queue <= least(10, $priority_calls)
),

segments as (
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
        ) as segments
    from segment_emotion
    where recording_id in (select recording_id from worst_calls)
    group by recording_id
),

files as (
    select recording_id, sides
    from stg_calls
)

select
    worst_calls.* exclude (team, customer, attributes),
    $attributes as attributes,
    files.sides,
    segments.segments
from worst_calls
inner join segments using (recording_id)
inner join files using (recording_id)
order by place
