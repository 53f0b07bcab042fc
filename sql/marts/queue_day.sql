-- grain: one row a call date and queue
-- version: 4
-- built: by call date
-- count_not_scored_calls: recordings without a dissatisfaction; the mart not_scored says why
-- duration_s: length of all recordings, seconds
-- speech_customer_s: seconds of speech on customers' channels
-- speech_agent_s: seconds of speech on agents' channels
-- count_stayed_positive: scored calls by arc, as all counts that follow
-- count_improving: calls that got better
-- count_worsening: calls that got worse
-- count_stayed_negative: calls that were dissatisfied throughout
-- count_uncertain_arc: calls with too few scored segments for an arc
-- mean_duration_s: mean length of a recording, seconds; withheld (null), with its interval, where
--   there are fewer calls than the setting report.min_calls
-- mean_duration_low_s: lower end of its 95 % interval, Student's t over customers, seconds; null, as
--   all such intervals, where customers do not differ
-- mean_duration_high_s: upper end of its 95 % interval, Student's t over customers, seconds
-- dissatisfaction_peak: mean of the calls' peaks, 0..1; withheld (null), as all that follows, where
--   fewer calls are scored than the setting report.min_calls
-- dissatisfaction_peak_low: lower end of its 95 % interval, Student's t over customers
-- dissatisfaction_peak_high: upper end of its 95 % interval, Student's t over customers
-- worsening_share: share of the scored calls that got worse, 0..1
-- worsening_share_low: lower end of its 95 % interval, Wilson, clustered by customer
-- worsening_share_high: upper end of its 95 % interval, Wilson, clustered by customer
with customers as (
    select
        call_date,
        queue,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        count(not_scored_reason) as count_not_scored_calls,
        sum(duration_s) as duration_s,
        sum(speech_customer_s) as speech_customer_s,
        sum(speech_agent_s) as speech_agent_s,
        sum(dissatisfaction_peak) as peak,
        count(*) filter (arc = 'stayed positive') as count_stayed_positive,
        count(*) filter (arc = 'improving') as count_improving,
        count(*) filter (arc = 'worsening') as count_worsening,
        count(*) filter (arc = 'stayed negative') as count_stayed_negative,
        count(*) filter (arc = 'uncertain') as count_uncertain_arc
    from call_summary
    group by call_date, queue, coalesce(customer, recording_id)
),

scored_customers as (
    select
        call_date,
        queue,
        sum(peak) / sum(count_scored_calls) as mean_peak,
        ratio_half_width(peak, count_scored_calls) as peak_half_width,
        clustered_share(count_worsening, count_scored_calls) as worsening
    from customers
    where count_scored_calls > 0
    group by call_date, queue
),

counted as (
    select
        call_date,
        queue,
        sum(count_not_scored_calls)::bigint as count_not_scored_calls,
        sum(duration_s) as duration_s,
        sum(speech_customer_s) as speech_customer_s,
        sum(speech_agent_s) as speech_agent_s,
        sum(count_stayed_positive)::bigint as count_stayed_positive,
        sum(count_improving)::bigint as count_improving,
        sum(count_worsening)::bigint as count_worsening,
        sum(count_stayed_negative)::bigint as count_stayed_negative,
        sum(count_uncertain_arc)::bigint as count_uncertain_arc,
        sum(duration_s) / sum(count_calls) as mean_length_s,
        ratio_half_width(duration_s, count_calls) as length_half_width_s
    from customers
    group by call_date, queue
),

shown as (
    select
        daily.count_calls,
        daily.count_scored_calls,
        daily.coverage,
        daily.coverage_eligible,
        daily.dissatisfied_share_if_content,
        daily.dissatisfied_share_if_dissatisfied,
        counted.*,
        scored_customers.* exclude (call_date, queue),
        daily.count_scored_calls >= getvariable('min_calls') as is_shown,
        daily.count_calls >= getvariable('min_calls') as length_is_shown
    from daily_dissatisfaction as daily
    inner join counted
        on daily.call_date = counted.call_date
        and daily.queue is not distinct from counted.queue
    left join scored_customers
        on counted.call_date = scored_customers.call_date
        and counted.queue is not distinct from scored_customers.queue
)

select
    call_date,
    queue,
    columns('^count_(calls|scored|not_scored)'),
    duration_s,
    speech_customer_s,
    speech_agent_s,
    coverage,
    coverage_eligible,
    columns('^count_(stayed|improving|worsening|uncertain)'),
    if(length_is_shown, mean_length_s, null) as mean_duration_s,
    if(length_is_shown, held(mean_length_s - length_half_width_s, 0, mean_length_s), null)
        as mean_duration_low_s,
    if(length_is_shown, mean_length_s + length_half_width_s, null) as mean_duration_high_s,
    dissatisfied_share_if_content,
    dissatisfied_share_if_dissatisfied,
    if(is_shown, mean_peak, null) as dissatisfaction_peak,
    if(is_shown, held(mean_peak - peak_half_width, 0, 1), null) as dissatisfaction_peak_low,
    if(is_shown, held(mean_peak + peak_half_width, 0, 1), null) as dissatisfaction_peak_high,
    if(is_shown, worsening.share, null) as worsening_share,
    if(is_shown, clustered_low(worsening), null) as worsening_share_low,
    if(is_shown, clustered_high(worsening), null) as worsening_share_high
from shown
order by call_date, queue
