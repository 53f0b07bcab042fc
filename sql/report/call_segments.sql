-- question: which segments and predicted emotions does each channel of the call have?
with emotions as (
    select
        recording_id,
        channel,
        segment_no,
        emotion,
        confidence,
        ood_score,
        reasons,
        dissatisfaction,
        dissatisfaction_voice,
        dissatisfaction_words,
        is_dissatisfied,
        columns('^p_')
    from segment_emotion
)

select segments.*, emotions.* exclude (recording_id, channel, segment_no)
from stg_segments as segments
left join emotions using (recording_id, channel, segment_no)
where segments.recording_id = $recording_id
order by segments.start_s, segments.channel
