-- grain: one row a call date and team: how calls were held, never how anybody felt
-- version: 4
-- built: by call date
-- count_calls: recordings with an agent's channel
-- coverage: these over all recordings of the team, 0..1; of the others nothing says which side is the
--   agent's
-- mean_duration_s: mean length of a recording, seconds; withheld (null), as all that follows, where
--   there are fewer calls than the setting report.min_calls
-- mean_duration_low_s: lower end of its 95 % interval, Student's t over customers, seconds; null, as
--   all such intervals, where customers do not differ
-- mean_duration_high_s: upper end of its 95 % interval, seconds
-- agent_talk_share: mean share of the agents' turns in both sides' turns, 0..1
-- agent_talk_share_low: lower end of its 95 % interval, Student's t over customers
-- agent_talk_share_high: upper end of its 95 % interval, Student's t over customers
-- hold_share: hold over length of the calls, 0..1
-- hold_share_low: lower end of its 95 % interval, Student's t over customers, of a ratio of sums
-- hold_share_high: upper end of its 95 % interval, Student's t over customers, of a ratio of sums
-- silence_share: silence over length of the calls, 0..1
-- silence_share_low: lower end of its 95 % interval, Student's t over customers, of a ratio of sums
-- silence_share_high: upper end of its 95 % interval, Student's t over customers, of a ratio of sums
-- overtalk_share: mean share of the agents' turns in which the customer speaks too, 0..1
-- overtalk_share_low: lower end of its 95 % interval, Student's t over customers
-- overtalk_share_high: upper end of its 95 % interval, Student's t over customers
-- interruptions_per_hour: times that agents interrupted customers, an hour of call
-- interruptions_per_hour_low: lower end of its 95 % interval, Student's t over customers, of a ratio of
--   sums
-- interruptions_per_hour_high: upper end of its 95 % interval, Student's t over customers, of a ratio of
--   sums
-- response_time_median_s: median over calls of the agents' median pause before they answer, seconds
-- response_time_median_low_s: lower end of its 95 % interval, order statistics,
--   clustered by customer, seconds
-- response_time_median_high_s: upper end of its 95 % interval, order statistics,
--   clustered by customer, seconds
with agents as (
    select
        sides.*,
        coalesce(calls.customer, sides.recording_id) as caller,
        3600 * sides.count_interruptions as interruptions_an_hour,
        median(sides.response_time_median_s) over (partition by sides.call_date, sides.team)
            as usual_response_s
    from call_side as sides
    inner join stg_calls as calls using (recording_id)
    where sides.role = 'agent' and sides.team is not null
),

teams as (
    select call_date, team, count(*) as count_all_calls
    from stg_calls
    where team is not null
    group by call_date, team
),

callers as (
    select
        call_date,
        team,
        count(*) as of_calls,
        count(distinct recording_id) as of_recordings,
        sum(duration_s) as duration_s,
        sum(talk_share) as talk_share,
        count(talk_share) as count_talk,
        sum(hold_s) as hold_s,
        sum(silence_s) as silence_s,
        sum(side_overtalk_share) as overtalk,
        count(side_overtalk_share) as count_overtalk,
        sum(interruptions_an_hour) as interruptions,
        count(*) filter (response_time_median_s <= usual_response_s) as fast_responses,
        count(response_time_median_s) as count_responses
    from agents
    group by call_date, team, caller
),

counted as (
    select
        call_date,
        team,
        sum(of_calls)::bigint as count_calls,
        sum(of_recordings) as count_recordings,
        sum(duration_s) / sum(of_calls) as mean_duration_s,
        ratio_half_width(duration_s, of_calls) as duration_half,
        sum(talk_share) / nullif(sum(count_talk), 0) as agent_talk_share,
        ratio_half_width(talk_share, count_talk) as talk_half,
        sum(hold_s) / sum(duration_s) as hold_share,
        ratio_half_width(hold_s, duration_s) as hold_half,
        sum(silence_s) / sum(duration_s) as silence_share,
        ratio_half_width(silence_s, duration_s) as silence_half,
        sum(overtalk) / nullif(sum(count_overtalk), 0) as overtalk_share,
        ratio_half_width(overtalk, count_overtalk) as overtalk_half,
        sum(interruptions) / sum(duration_s) as interruptions_per_hour,
        ratio_half_width(interruptions, duration_s) as interruptions_half,
        effective_clusters(fast_responses, count_responses) as effective_responses
    from callers
    group by call_date, team
),

responses as (
    select
        call_date,
        team,
        median(response_time_median_s) as response_time_median_s,
        median_low(response_time_median_s, any_value(effective_responses))
            as response_time_median_low_s,
        median_high(response_time_median_s, any_value(effective_responses))
            as response_time_median_high_s
    from agents
    inner join counted using (call_date, team)
    group by call_date, team
),

numbered as (
    select call_date, team, count_calls, count_recordings / count_all_calls as coverage
    from counted
    inner join teams using (call_date, team)
),

shown as (
    select
        call_date,
        team,
        mean_duration_s,
        greatest(0, mean_duration_s - duration_half) as mean_duration_low_s,
        mean_duration_s + duration_half as mean_duration_high_s,
        agent_talk_share,
        greatest(0, agent_talk_share - talk_half) as agent_talk_share_low,
        least(1, agent_talk_share + talk_half) as agent_talk_share_high,
        hold_share,
        greatest(0, hold_share - hold_half) as hold_share_low,
        least(1, hold_share + hold_half) as hold_share_high,
        silence_share,
        greatest(0, silence_share - silence_half) as silence_share_low,
        least(1, silence_share + silence_half) as silence_share_high,
        overtalk_share,
        greatest(0, overtalk_share - overtalk_half) as overtalk_share_low,
        least(1, overtalk_share + overtalk_half) as overtalk_share_high,
        interruptions_per_hour,
        greatest(0, interruptions_per_hour - interruptions_half) as interruptions_per_hour_low,
        interruptions_per_hour + interruptions_half as interruptions_per_hour_high,
        response_time_median_s,
        response_time_median_low_s,
        response_time_median_high_s
    from counted
    inner join responses using (call_date, team)
    where count_calls >= getvariable('min_calls')
)

select numbered.*, shown.* exclude (call_date, team)
from numbered
left join shown using (call_date, team)
order by call_date, team
