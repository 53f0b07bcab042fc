-- grain: one row a call and model other than the one in use, scored by both
-- version: 2
-- built: by call
-- other_model_id: the other model
-- scored_s: scored speech of the model in use, seconds
-- other_scored_s: scored speech of the other model, seconds
-- dissatisfaction: by the model in use, 0..1
-- other_dissatisfaction: by the other model, 0..1
-- is_dissatisfied: the flag by the model in use
-- other_is_dissatisfied: by the other model
-- difference: other dissatisfaction minus this, -1..1
-- agreement: share of the speech that both scored in which they name the same emotion, 0..1
with scored_segments as (
    select
        dissatisfaction.recording_id,
        dissatisfaction.channel,
        dissatisfaction.segment_no,
        dissatisfaction.model_id,
        predictions.emotion,
        segments.duration_s
    from stg_segment_dissatisfaction as dissatisfaction
    inner join stg_segments as segments using (recording_id, channel, segment_no)
    inner join stg_predictions as predictions
        using (recording_id, channel, segment_no, model_id)
),

agreements as (
    select
        ours.recording_id,
        theirs.model_id as other_model_id,
        sum(ours.duration_s) filter (ours.emotion = theirs.emotion) as agreed_s,
        sum(ours.duration_s) as both_s
    from scored_segments as ours
    inner join scored_segments as theirs using (recording_id, channel, segment_no)
    where ours.model_id = getvariable('model_id') and theirs.model_id <> ours.model_id
    group by ours.recording_id, theirs.model_id
)

select
    stg_calls.call_date,
    stg_calls.recording_id,
    stg_calls.queue,
    ours.model_id,
    theirs.model_id as other_model_id,
    ours.scored_s,
    theirs.scored_s as other_scored_s,
    ours.dissatisfaction,
    theirs.dissatisfaction as other_dissatisfaction,
    ours.is_dissatisfied,
    theirs.is_dissatisfied as other_is_dissatisfied,
    theirs.dissatisfaction - ours.dissatisfaction as difference,
    coalesce(agreements.agreed_s, 0) / agreements.both_s as agreement
from stg_call_dissatisfaction as ours
inner join stg_call_dissatisfaction as theirs using (recording_id)
inner join stg_calls using (recording_id)
left join agreements
    on agreements.recording_id = ours.recording_id
    and agreements.other_model_id = theirs.model_id
where ours.model_id = getvariable('model_id') and theirs.model_id <> ours.model_id
order by call_date, recording_id, other_model_id
