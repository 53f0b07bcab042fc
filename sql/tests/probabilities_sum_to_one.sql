-- rule: the probabilities of a segment sum to 1
select recording_id, channel, segment_no, sum(probability) as total
from (
    unpivot (select recording_id, channel, segment_no, columns('^p_') from stg_predictions)
    on columns('^p_') into name emotion value probability
)
group by all
having abs(sum(probability) - 1) > 0.01
