-- question: which calls have priority, to listen to first?
-- flagged calls only, the highest index first, those of the headline's days before earlier ones.
-- the page's filters lead to any day, queue, hour or arc: where not all fit on the page, it holds
-- the worst of the headline's days, then the worst of each group, then the second of each, ...
with flagged_calls as (
    select *, $period as is_of_period
    from call_summary
    where $all_days and is_dissatisfied
),

ranked_calls as (
    select
        *,
        row_number() over worst_first as place,
        least(
            row_number() over worst_of_queue,
            row_number() over worst_of_day,
            row_number() over worst_of_hour,
            row_number() over worst_of_arc
        ) as place_in_group
    from flagged_calls
    window
        worst_first as (
            order by is_of_period desc, dissatisfaction desc, dissatisfaction_peak desc, recording_id
        ),
        worst_of_queue as (
            partition by is_of_period, queue
            order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
        ),
        worst_of_day as (
            partition by queue, call_date
            order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
        ),
        worst_of_hour as (
            partition by weekday, hour
            order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
        ),
        worst_of_arc as (
            partition by is_of_period, queue, arc
            order by dissatisfaction desc, dissatisfaction_peak desc, recording_id
        )
),

listed_calls as (
    select *
    from ranked_calls
    order by place > $priority_calls, place_in_group, place
    limit $listed_calls
),

segments as (
    select
        recording_id,
        list(
            {'start_s': start_s, 'end_s': end_s, 'dissatisfaction': dissatisfaction}
            order by start_s
        ) as segments
    from segment_emotion
    where recording_id in (select recording_id from listed_calls) and dissatisfaction is not null
    group by recording_id
),

files as (
    select recording_id, sides
    from stg_calls
)

select
    listed_calls.* exclude (team, customer, attributes, place_in_group),
    $attributes as attributes,
    files.sides,
    segments.segments,
    call_review.reviewed_by,
    call_review.reviewed_at
from listed_calls
inner join segments using (recording_id)
inner join files using (recording_id)
left join call_review using (recording_id)
order by place
