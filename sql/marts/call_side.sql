-- grain: one row a recording and channel: how each side talked, never how it felt
-- version: 2
-- built: by call
-- path: file of the side; both sides have the same where one file holds the call
-- audio_root: the audio folder of that file, absolute
-- duration_s: length of the recording, seconds
-- speech_s: seconds of speech
select
    calls.call_date,
    calls.started_at,
    calls.queue,
    calls.team,
    calls.call_id,
    calls.recording_id,
    channels.channel,
    channels.role,
    coalesce(calls.sides[channels.channel + 1].path, calls.path) as path,
    coalesce(calls.sides[channels.channel + 1].audio_root, calls.audio_root) as audio_root,
    calls.duration_s,
    calls.hold_s,
    calls.silence_s,
    calls.overtalk_s,
    channels.speech_s,
    channels.talk_s,
    channels.talk_share,
    channels.count_turns,
    channels.turn_mean_s,
    channels.side_overtalk_share,
    channels.count_interruptions,
    channels.response_time_median_s,
    channels.response_longest_s,
    channels.syllable_rate_hz,
    channels.level_db,
    channels.noise_db,
    channels.snr_db,
    channels.clipping_ratio,
    channels.bandwidth_hz,
    channels.denoised,
    channels.is_dead
from stg_channels as channels
inner join stg_calls as calls using (recording_id)
order by call_date, started_at, recording_id, channel
