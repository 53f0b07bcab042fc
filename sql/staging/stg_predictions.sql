-- grain: one row a segment of a customer who may be scored, of the model in use
-- model_id: model that scored
select
    predictions.*,
    getvariable('model_id') as model_id
from lake_predictions as predictions
inner join stg_channels as channels using (recording_id, channel)
where channels.not_scored_reason is null
order by recording_id, channel, segment_no
