-- grain: one row a recording that could be decoded and belongs to a call
-- version: 3
-- built: by call
-- call_date: day on which the call started, local time of the call centre
-- part: shard of the lake that the call lies in
-- count_channels: channels in the file, or files that make the call
select
    calls.recording_id,
    calls.call_id,
    calls.path,
    calls.audio_root,
    cast(calls.started_at as date) as call_date,
    calls.started_at,
    calls.started_at_source,
    calls.queue,
    calls.team,
    calls.customer,
    calls.language,
    calls.metadata_found,
    calls.attributes,
    calls.sides,
    calls.part,
    recordings.duration_s,
    recordings.n_channels as count_channels,
    recordings.codec,
    recordings.sample_rate_hz,
    recordings.hold_s,
    recordings.hold_longest_s,
    recordings.count_holds,
    recordings.silence_s,
    recordings.silence_longest_s,
    recordings.count_long_silences,
    recordings.overtalk_s,
    recordings.overtalk_share
from lake_calls as calls
inner join lake_recordings as recordings using (recording_id)
order by call_date, started_at, recording_id
