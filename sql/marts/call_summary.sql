-- grain: one row a recording
-- version: 9
-- built: by call
-- hour: hour of the day in which the call started, 0..23
-- weekday: day of the week, 1 Monday..7 Sunday
-- speech_customer_s: seconds of speech on customers' channels
-- speech_agent_s: seconds of speech on agents' channels
-- speech_unknown_s: seconds of speech on channels of unknown role
-- response_time_median_s: median pause before the agent's side answers, seconds
-- count_segments: segments of customers
-- count_scored_segments: of these, those about which the model is not uncertain
-- count_uncertain_segments: of these, those about which it abstains
-- customer_s: length of the customers' segments, seconds
-- scored_s: of these, those about which the model is not uncertain, seconds
-- eligible_s: of customer_s, seconds on channels that may be scored
-- dissatisfied_s: of scored_s, seconds in dissatisfied segments
-- coverage: scored_s over customer_s, 0..1
-- coverage_eligible: scored_s over eligible_s, 0..1; null: nothing may be scored
-- dissatisfaction: duration-weighted mean of the segments, 0 content..1 dissatisfied;
--   null, as all that follows from it, with less scored speech than dissatisfaction.min_scored_s
-- dissatisfaction_voice: as dissatisfaction, by the voice alone, over segments with a known voice
-- dissatisfaction_words: as dissatisfaction, by the words alone, over segments with known words;
--   null: there are none
-- arousal: duration-weighted mean of the segments that have one, 1 calm..5 excited; null: none
--   has, or there is less scored speech than dissatisfaction.min_scored_s
-- valence: the same, 1 unpleasant..5 pleasant
-- dissatisfaction_peak: mean of the worst tenth of the scored speech, 0..1
-- dissatisfied_share: share of the scored speech in dissatisfied segments, 0..1
-- dissatisfied_share_if_content: the share of the eligible speech if all uncertain speech were
--   content, 0..1
-- dissatisfied_share_if_dissatisfied: the same if all uncertain speech were dissatisfied, 0..1
-- worst_start_s: start of the worst segment in the recording, seconds
-- recovery_s: from there to the first later segment that is not dissatisfied, seconds; null where
--   the worst is not dissatisfied or no such segment follows
-- recovery_watched_s: from there to that segment or, where none follows, to the end of the
--   last scored segment, seconds: the censored recovery time; null where the worst is not
--   dissatisfied
-- slope_per_min: change of the segments' dissatisfaction a minute, least squares
-- arc: stayed positive, improving, worsening, stayed negative, or uncertain (fewer than three
--   scored segments); which way it went from the first to the last third, by at least the setting
--   dissatisfaction.arc_change on log-odds, with the worse end at half of call_threshold or more
--   and the better end at most halfway from it to 1; else by is_dissatisfied
-- top_reasons: what sounds so in its dissatisfied speech, most seconds first; null: none is
-- emotions: share of the scored speech by emotion, 0..1, largest first
-- not_scored_reason: code of the reason why the call carries no dissatisfaction; null: it does
with speech as (
    select
        recording_id,
        coalesce(sum(speech_s) filter (role = 'customer'), 0) as speech_customer_s,
        coalesce(sum(speech_s) filter (role = 'agent'), 0) as speech_agent_s,
        coalesce(sum(speech_s) filter (role = 'unknown'), 0) as speech_unknown_s,
        median(response_time_median_s) filter (role = 'agent') as response_time_median_s,
        bool_or(not_scored_reason is null) as may_be_scored,
        arg_min(
            not_scored_reason,
            case role when 'customer' then 0 when 'unknown' then 1 else 2 end
        ) as barred_reason
    from stg_channels
    group by recording_id
),

customer_segments as (
    select
        recording_id,
        count(*) as count_segments,
        sum(duration_s) as customer_s,
        coalesce(sum(duration_s) filter (channels.not_scored_reason is null), 0) as eligible_s
    from stg_segments as segments
    inner join stg_channels as channels using (recording_id, channel)
    where segments.role = 'customer'
    group by recording_id
),

lost_calls as (
    select distinct recording_id from lake_quarantine where code = 'analysis_lost'
),

scored_speech as (
    select
        recording_id,
        count(*) as count_scored_segments,
        sum(duration_s) as scored_s,
        coalesce(sum(duration_s) filter (is_dissatisfied), 0) as dissatisfied_s
    from segment_emotion
    where dissatisfaction is not null
    group by recording_id
),

calls_with_enough as (
    select * exclude (model_id)
    from stg_call_dissatisfaction
    where model_id = getvariable('model_id')
),

segments_in_order as (
    select
        segments.*,
        calls.scored_s,
        sum(duration_s) over (
            partition by recording_id
            order by segments.dissatisfaction desc, start_s, channel, segment_no
        ) - duration_s as worse_s
    from segment_emotion as segments
    inner join calls_with_enough as calls using (recording_id)
    where segments.dissatisfaction is not null
),

segments_placed as (
    select
        *,
        greatest(0, least(duration_s, scored_s / 10 - worse_s)) as in_worst_tenth_s,
        first(start_s) over by_badness as worst_at_s,
        first(is_dissatisfied) over by_badness as worst_is_dissatisfied
    from segments_in_order
    window by_badness as (partition by recording_id order by worse_s)
),

voice_and_words as (
    select
        recording_id,
        call_dissatisfaction(dissatisfaction_voice, duration_s) as dissatisfaction_voice,
        call_dissatisfaction(dissatisfaction_words, duration_s) as dissatisfaction_words,
        call_dissatisfaction(arousal, duration_s) as arousal,
        call_dissatisfaction(valence, duration_s) as valence
    from segment_emotion
    inner join calls_with_enough using (recording_id)
    group by recording_id
),

parts_of_calls as (
    select
        recording_id,
        sum(dissatisfaction * in_worst_tenth_s) / sum(in_worst_tenth_s) as dissatisfaction_peak,
        coalesce(sum(duration_s) filter (is_dissatisfied), 0) / any_value(scored_s)
            as dissatisfied_share,
        any_value(worst_at_s) as worst_start_s,
        min(start_s) filter (not is_dissatisfied and start_s > worst_at_s and worst_is_dissatisfied)
        - any_value(worst_at_s) as recovery_s,
        max(end_s) filter (worst_is_dissatisfied) - any_value(worst_at_s) as watched_s,
        regr_slope(dissatisfaction, (start_s + end_s) / 120) as slope_per_min
    from segments_placed
    group by recording_id
),

speech_by_emotion as (
    select recording_id, emotion, sum(duration_s) / any_value(scored_s) as share
    from segments_placed
    group by recording_id, emotion
),

emotions_of_calls as (
    select
        recording_id,
        map_from_entries(list({'k': emotion, 'v': share} order by share desc, emotion)) as emotions
    from speech_by_emotion
    group by recording_id
),

dissatisfied_reasons as (
    select recording_id, unnest(reasons) as reason, duration_s
    from segments_placed
    where is_dissatisfied
),

speech_by_reason as (
    select recording_id, reason, sum(duration_s) as reason_s
    from dissatisfied_reasons
    group by recording_id, reason
),

reasons_of_calls as (
    select recording_id, list(reason order by reason_s desc, reason)[:3] as top_reasons
    from speech_by_reason
    group by recording_id
),

predicted_segments as (
    select
        recording_id,
        count(*) filter (is_uncertain) as count_uncertain_segments
    from segment_emotion
    group by recording_id
)

select
    calls.call_date,
    calls.started_at,
    calls.started_at_source,
    hour(calls.started_at) as hour,
    isodow(calls.started_at) as weekday,
    calls.queue,
    calls.team,
    calls.call_id,
    calls.customer,
    calls.language,
    calls.recording_id,
    calls.path,
    calls.audio_root,
    calls.duration_s,
    speech.speech_customer_s,
    speech.speech_agent_s,
    speech.speech_unknown_s,
    calls.hold_s,
    calls.hold_longest_s,
    calls.silence_s,
    calls.silence_longest_s,
    calls.overtalk_share,
    speech.response_time_median_s,
    coalesce(customer_segments.count_segments, 0) as count_segments,
    coalesce(scored_speech.count_scored_segments, 0) as count_scored_segments,
    coalesce(predicted_segments.count_uncertain_segments, 0) as count_uncertain_segments,
    coalesce(customer_segments.customer_s, 0) as customer_s,
    coalesce(customer_segments.eligible_s, 0) as eligible_s,
    coalesce(scored_speech.scored_s, 0) as scored_s,
    coalesce(scored_speech.dissatisfied_s, 0) as dissatisfied_s,
    coalesce(scored_speech.scored_s, 0) / nullif(customer_segments.customer_s, 0) as coverage,
    coalesce(scored_speech.scored_s, 0) / nullif(customer_segments.eligible_s, 0)
        as coverage_eligible,
    scored.dissatisfaction,
    voice_and_words.dissatisfaction_voice,
    voice_and_words.dissatisfaction_words,
    voice_and_words.arousal,
    voice_and_words.valence,
    parts.dissatisfaction_peak,
    scored.dissatisfaction_start,
    scored.dissatisfaction_end,
    parts.dissatisfied_share,
    share_if_content(scored_speech.dissatisfied_s, customer_segments.eligible_s)
        as dissatisfied_share_if_content,
    share_if_dissatisfied(
        scored_speech.dissatisfied_s, scored_speech.scored_s, customer_segments.eligible_s
    ) as dissatisfied_share_if_dissatisfied,
    scored.is_dissatisfied,
    parts.worst_start_s,
    parts.recovery_s,
    coalesce(parts.recovery_s, parts.watched_s) as recovery_watched_s,
    parts.slope_per_min,
    arc_class(
        scored.dissatisfaction_start,
        scored.dissatisfaction_end,
        scored.is_dissatisfied,
        scored_speech.count_scored_segments,
        getvariable('call_threshold'),
        getvariable('arc_change')
    ) as arc,
    emotions_of_calls.emotions,
    reasons_of_calls.top_reasons,
    case
        when scored.recording_id is not null then null
        when not speech.may_be_scored then speech.barred_reason
        when lost_calls.recording_id is not null and predicted_segments.recording_id is null
            then 'analysis_lost'
        when
            predicted_segments.recording_id is null
            and speech.speech_customer_s > 0
            and calls.started_at::date < getvariable('closed_before')
            then 'past_retention'
        when customer_segments.recording_id is null then 'no_speech'
        when predicted_segments.recording_id is null then 'not_scored_yet'
        when scored_speech.recording_id is not null then 'too_little_scored'
        else 'uncertain'
    end as not_scored_reason,
    calls.metadata_found,
    getvariable('model_id') as model_id,
    calls.attributes
from stg_calls as calls
inner join speech using (recording_id)
left join customer_segments using (recording_id)
left join predicted_segments using (recording_id)
left join scored_speech using (recording_id)
left join calls_with_enough as scored using (recording_id)
left join parts_of_calls as parts using (recording_id)
left join voice_and_words using (recording_id)
left join emotions_of_calls using (recording_id)
left join reasons_of_calls using (recording_id)
left join lost_calls using (recording_id)
order by call_date, started_at, recording_id
