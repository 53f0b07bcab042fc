-- grain: one row a scored call and tenth of its length
-- version: 1
-- built: by call
-- tenth: which tenth of the recording, 1 first..10 last
-- start_s: where it begins in the recording, seconds
-- end_s: where it ends, seconds
-- scored_s: the customer's scored speech in it, seconds
-- dissatisfaction: duration-weighted mean of that speech, 0..1; null: none
with tenths as (
    select
        recording_id,
        call_date,
        queue,
        arc,
        tenth,
        duration_s * (tenth - 1) / 10 as start_s,
        duration_s * tenth / 10 as end_s
    from call_summary
    cross join range(1, 11) as numbers(tenth)
    where dissatisfaction is not null
),

scored_segments as (
    select recording_id, start_s, end_s, dissatisfaction
    from segment_emotion
    where dissatisfaction is not null
),

speech as (
    select
        tenths.*,
        segments.dissatisfaction as dissatisfaction_of_segment,
        greatest(
            0, least(segments.end_s, tenths.end_s) - greatest(segments.start_s, tenths.start_s)
        ) as shared_s
    from tenths
    inner join scored_segments as segments using (recording_id)
)

select
    call_date,
    recording_id,
    queue,
    arc,
    cast(tenth as tinyint) as tenth,
    start_s,
    end_s,
    sum(shared_s) as scored_s,
    call_dissatisfaction(dissatisfaction_of_segment, shared_s) as dissatisfaction
from speech
group by all
order by call_date, recording_id, tenth
