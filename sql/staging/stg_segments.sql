-- grain: one row a segment of one channel's speech
-- version: 1
-- built: by call
-- duration_s: length, seconds
select
    segments.recording_id,
    segments.channel,
    segments.segment_no,
    channels.role,
    segments.start_s,
    segments.end_s,
    cast(segments.end_s as double) - segments.start_s as duration_s,
    segments.speech_ratio,
    segments.level_db,
    segments.snr_db,
    segments.overlap_ratio
from lake_segments as segments
inner join stg_channels as channels using (recording_id, channel)
order by recording_id, channel, segment_no
