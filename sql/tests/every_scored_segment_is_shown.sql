-- rule: no prediction of a customer who may be scored is lost on the way to segment_emotion
select recording_id, channel, segment_no
from stg_predictions
anti join segment_emotion using (recording_id, channel, segment_no)
where model_id = getvariable('model_id')
