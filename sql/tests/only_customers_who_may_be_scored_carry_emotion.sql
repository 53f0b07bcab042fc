-- rule: an emotion stands only on a customer's channel that nothing bars from being scored
select segment_emotion.*
from segment_emotion
left join stg_channels using (recording_id, channel)
where stg_channels.role is distinct from 'customer' or stg_channels.not_scored_reason is not null
