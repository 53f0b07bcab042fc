-- grain: one row a scored segment that is not `uncertain`, and model
-- version: 1
-- built: by call date
-- dissatisfaction: sum of the emotions' probabilities times their weights, 0 content..1 dissatisfied
-- is_dissatisfied: dissatisfaction reaches the setting dissatisfaction.threshold
with certain_segments as (
    select recording_id, channel, segment_no, model_id, columns('^p_')
    from stg_predictions
    where emotion <> 'uncertain'
),

probabilities as (
    unpivot certain_segments on columns('^p_') into name probability_of value probability
),

summed as (
    select
        recording_id,
        channel,
        segment_no,
        model_id,
        least(1, sum(probabilities.probability * weights.weight)) as dissatisfaction
    from probabilities
    inner join stg_dissatisfaction_weights as weights
        on probabilities.probability_of = 'p_' || weights.emotion
    group by all
)

select *, dissatisfaction >= getvariable('dissatisfaction_threshold') as is_dissatisfied
from summed
order by model_id, recording_id, channel, segment_no
