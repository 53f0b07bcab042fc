-- grain: one row a call date and queue
-- version: 2
-- built: by call date
-- count_calls: recordings
-- count_scored_calls: of these, with a dissatisfaction
-- count_not_scored_calls: of these, without; the mart not_scored says why
-- duration_s: length of all recordings, seconds
-- speech_customer_s: seconds of speech on customers' channels
-- speech_agent_s: seconds of speech on agents' channels
-- coverage: scored seconds over seconds of the customers' segments, 0..1
-- count_stayed_positive: scored calls by arc, as all counts that follow
-- count_improving: calls that got better
-- count_worsening: calls that got worse
-- count_stayed_negative: calls that were dissatisfied throughout
-- count_uncertain_arc: calls with too few scored segments for an arc
-- mean_duration_s: mean length of a recording, seconds; withheld (null), with its interval, where
--   there are fewer calls than the setting report.min_calls
-- mean_duration_low_s: lower end of its 95 % interval, Student's t over calls, seconds
-- mean_duration_high_s: upper end of its 95 % interval, Student's t over calls, seconds
-- dissatisfaction_peak: mean of the calls' peaks, 0..1; withheld (null), as all that follows, where
--   fewer calls are scored than the setting report.min_calls
-- dissatisfaction_peak_low: lower end of its 95 % interval, Student's t over calls
-- dissatisfaction_peak_high: upper end of its 95 % interval, Student's t over calls
-- worsening_share: share of the scored calls that got worse, 0..1
-- worsening_share_low: lower end of its 95 % interval, Wilson
-- worsening_share_high: upper end of its 95 % interval, Wilson
with counted as (
    select
        call_date,
        queue,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        count(not_scored_reason) as count_not_scored_calls,
        sum(duration_s) as duration_s,
        sum(speech_customer_s) as speech_customer_s,
        sum(speech_agent_s) as speech_agent_s,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage,
        count(*) filter (arc = 'stayed positive') as count_stayed_positive,
        count(*) filter (arc = 'improving') as count_improving,
        count(*) filter (arc = 'worsening') as count_worsening,
        count(*) filter (arc = 'stayed negative') as count_stayed_negative,
        count(*) filter (arc = 'uncertain') as count_uncertain_arc,
        avg(duration_s) as mean_length_s,
        mean_half_width(duration_s) as length_half_width_s,
        avg(dissatisfaction_peak) as mean_peak,
        mean_half_width(dissatisfaction_peak) as peak_half_width
    from call_summary
    group by call_date, queue
),

shown as (
    select
        *,
        count_scored_calls >= getvariable('min_calls') as is_shown,
        count_calls >= getvariable('min_calls') as length_is_shown
    from counted
)

select
    * exclude (
        mean_length_s, length_half_width_s, length_is_shown, mean_peak, peak_half_width, is_shown
    ),
    if(length_is_shown, mean_length_s, null) as mean_duration_s,
    if(length_is_shown, greatest(0, mean_length_s - length_half_width_s), null)
        as mean_duration_low_s,
    if(length_is_shown, mean_length_s + length_half_width_s, null) as mean_duration_high_s,
    if(is_shown, mean_peak, null) as dissatisfaction_peak,
    if(is_shown, greatest(0, mean_peak - peak_half_width), null) as dissatisfaction_peak_low,
    if(is_shown, least(1, mean_peak + peak_half_width), null) as dissatisfaction_peak_high,
    if(is_shown, count_worsening / count_scored_calls, null) as worsening_share,
    if(is_shown, wilson_low(count_worsening, count_scored_calls), null) as worsening_share_low,
    if(is_shown, wilson_high(count_worsening, count_scored_calls), null) as worsening_share_high
from shown
order by call_date, queue
