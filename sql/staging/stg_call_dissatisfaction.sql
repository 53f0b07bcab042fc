-- grain: one row a call and model that scored enough of the customer's speech
-- version: 1
-- built: by call date
-- scored_s: the customer's scored speech, seconds; at least dissatisfaction.min_scored_s
-- dissatisfaction: duration-weighted mean of the segments on log-odds, 0 content..1 dissatisfied
-- dissatisfaction_worst_part: as dissatisfaction, of the worst segments that make up the share
--   dissatisfaction.worst_part of the scored speech, wherever in the call they lie
-- is_dissatisfied: dissatisfaction_worst_part reaches the setting dissatisfaction.call_threshold
with segments_in_order as (
    select
        recording_id,
        model_id,
        dissatisfaction,
        duration_s,
        sum(duration_s) over (partition by recording_id, model_id) as scored_s,
        sum(duration_s) over (
            partition by recording_id, model_id
            order by dissatisfaction desc, start_s, channel, segment_no
        ) - duration_s as worse_s
    from stg_segment_dissatisfaction
    inner join stg_segments using (recording_id, channel, segment_no)
),

calls as (
    select
        recording_id,
        model_id,
        any_value(scored_s) as scored_s,
        call_dissatisfaction(dissatisfaction, duration_s) as dissatisfaction,
        call_dissatisfaction(
            dissatisfaction,
            greatest(0, least(duration_s, scored_s * getvariable('worst_part') - worse_s))
        ) as dissatisfaction_worst_part
    from segments_in_order
    group by recording_id, model_id
)

select *, dissatisfaction_worst_part >= getvariable('call_threshold') as is_dissatisfied
from calls
where scored_s >= getvariable('min_scored_s')
order by model_id, recording_id
