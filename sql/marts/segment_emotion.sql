-- grain: one row a scored segment: the customer's, where it may be scored
-- version: 4
-- built: by call
-- dissatisfaction: 0 content..1 dissatisfied, of voice and words together where there are words;
--   null where the model is uncertain
-- dissatisfaction_voice: by the voice alone, 0 content..1 dissatisfied; null: out of distribution
-- arousal: how excited it sounds, 1 calm..5 excited; null: the model was not trained for it, or the
--   segment is out of distribution
-- valence: how pleasant it sounds, 1 unpleasant..5 pleasant; null as arousal
-- dissatisfaction_words: by the words alone, 0 content..1 dissatisfied; null: no words are known
select
    calls.call_date,
    calls.started_at,
    calls.queue,
    calls.call_id,
    calls.path,
    predictions.recording_id,
    predictions.channel,
    predictions.segment_no,
    segments.start_s,
    segments.end_s,
    segments.duration_s,
    predictions.is_uncertain,
    predictions.emotion,
    predictions.confidence,
    predictions.ood_score,
    if(predictions.ood_score > 1, null, predictions.arousal) as arousal,
    if(predictions.ood_score > 1, null, predictions.valence) as valence,
    predictions.reasons,
    columns('^p_'),
    dissatisfaction.dissatisfaction,
    if(predictions.ood_score > 1, null, predictions.dissatisfaction_voice)
        as dissatisfaction_voice,
    predictions.dissatisfaction_words,
    dissatisfaction.is_dissatisfied,
    segments.speech_ratio,
    segments.snr_db,
    segments.overlap_ratio,
    model_id
from stg_predictions as predictions
inner join stg_segments as segments using (recording_id, channel, segment_no)
inner join stg_calls as calls using (recording_id)
left join stg_segment_dissatisfaction as dissatisfaction
    using (recording_id, channel, segment_no, model_id)
where predictions.model_id = getvariable('model_id')
order by call_date, started_at, recording_id, channel, segment_no
