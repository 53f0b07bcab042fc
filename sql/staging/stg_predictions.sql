-- grain: one row a segment of a customer who may be scored, and model
-- version: 1
-- built: by call
-- model_id: model that scored
select predictions.*
from lake_predictions as predictions
inner join stg_channels as channels using (recording_id, channel)
where channels.not_scored_reason is null
order by model_id, recording_id, channel, segment_no
