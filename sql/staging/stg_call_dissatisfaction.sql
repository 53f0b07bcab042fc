-- grain: one row a call and model that scored enough of the customer's speech
-- version: 1
-- built: by call
-- scored_s: the customer's scored speech, seconds; at least dissatisfaction.min_scored_s
-- dissatisfaction: of all its segments together, 0 content..1 dissatisfied
-- dissatisfaction_start: as dissatisfaction, first third of the scored speech
-- dissatisfaction_end: as dissatisfaction, last third of the scored speech
-- is_dissatisfied: the flag: dissatisfaction reaches the setting dissatisfaction.call_threshold, or
--   dissatisfaction_end reaches dissatisfaction.end_threshold
with segments_in_order as (
    select
        recording_id,
        model_id,
        dissatisfaction,
        duration_s,
        sum(duration_s) over (partition by recording_id, model_id) as scored_s,
        sum(duration_s) over (
            partition by recording_id, model_id order by start_s, channel, segment_no
        ) - duration_s / 2 as middle_s
    from stg_segment_dissatisfaction
    inner join stg_segments using (recording_id, channel, segment_no)
),

calls as (
    select
        recording_id,
        model_id,
        any_value(scored_s) as scored_s,
        call_dissatisfaction(dissatisfaction, duration_s) as dissatisfaction,
        call_dissatisfaction(if(middle_s <= scored_s / 3, dissatisfaction, null), duration_s)
            as dissatisfaction_start,
        call_dissatisfaction(if(middle_s >= scored_s * 2 / 3, dissatisfaction, null), duration_s)
            as dissatisfaction_end
    from segments_in_order
    group by recording_id, model_id
)

select
    *,
    dissatisfaction >= getvariable('call_threshold')
    or coalesce(dissatisfaction_end >= getvariable('end_threshold'), false) as is_dissatisfied
from calls
where scored_s >= getvariable('min_scored_s')
order by model_id, recording_id
