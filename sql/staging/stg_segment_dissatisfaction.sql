-- grain: one row a scored segment about which the model is not uncertain, and model
-- version: 2
-- built: by call
-- dissatisfaction: calibrated probability that listeners perceive anger or frustration, 0..1
-- is_dissatisfied: dissatisfaction reaches the setting dissatisfaction.threshold
select
    recording_id,
    channel,
    segment_no,
    model_id,
    dissatisfaction,
    dissatisfaction >= getvariable('dissatisfaction_threshold') as is_dissatisfied
from stg_predictions
where not is_uncertain
order by model_id, recording_id, channel, segment_no
