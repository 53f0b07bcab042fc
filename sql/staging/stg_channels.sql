-- grain: one row a recording and channel with a signal of its own
-- version: 1
-- built: by call
select
    scoring.recording_id,
    scoring.channel,
    scoring.role,
    scoring.not_scored_reason,
    coalesce(channels.speech_s, 0) as speech_s,
    channels.level_db,
    channels.noise_db,
    channels.snr_db,
    channels.clipping_ratio,
    channels.bandwidth_hz,
    channels.denoised,
    channels.is_dead,
    channels.talk_s,
    channels.talk_share,
    channels.count_turns,
    channels.turn_mean_s,
    channels.side_overtalk_share,
    channels.count_interruptions,
    channels.response_time_median_s,
    channels.response_longest_s,
    channels.syllable_rate_hz
from ref_channel_scoring as scoring
left join lake_channels as channels using (recording_id, channel)
order by recording_id, channel
