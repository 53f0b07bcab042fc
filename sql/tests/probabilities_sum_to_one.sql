-- rule: the probabilities of a segment sum to 1
with probabilities as (
    unpivot (from stg_predictions) on columns('^p_') into name probability_of value probability
)

select recording_id, channel, segment_no, model_id, sum(probability) as total
from probabilities
group by all
having abs(sum(probability) - 1) > 0.01
