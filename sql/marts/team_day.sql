-- grain: one row a call date and team: how calls were held, never how anybody felt
-- version: 1
-- built: by call date
-- count_calls: recordings with an agent's channel
-- mean_duration_s: mean length of a recording, seconds; withheld (null), as all that follows, where
--   there are fewer calls than the setting report.min_calls
-- mean_duration_low_s: lower end of its 95 % interval, Student's t over calls, seconds
-- mean_duration_high_s: upper end of its 95 % interval, seconds
-- agent_talk_share: mean share of the agents' turns in both sides' turns, 0..1
-- agent_talk_share_low: lower end of its 95 % interval, Student's t over calls
-- agent_talk_share_high: upper end of its 95 % interval, Student's t over calls
-- hold_share: hold over length of the calls, 0..1
-- silence_share: silence over length of the calls, 0..1
-- overtalk_share: mean share of the agents' turns in which the customer speaks too, 0..1
-- interruptions_per_hour: times agents took the floor from customers, an hour of call
-- response_wait_s: median over calls of the agents' median pause before they answer, seconds
with agents as (
    select *
    from call_side
    where role = 'agent' and team is not null
),

counted as (
    select
        call_date,
        team,
        count(*) as count_calls,
        avg(duration_s) as mean_duration_s,
        avg(duration_s) - mean_half_width(duration_s) as mean_duration_low_s,
        avg(duration_s) + mean_half_width(duration_s) as mean_duration_high_s,
        avg(talk_share) as agent_talk_share,
        avg(talk_share) - mean_half_width(talk_share) as agent_talk_share_low,
        avg(talk_share) + mean_half_width(talk_share) as agent_talk_share_high,
        sum(hold_s) / sum(duration_s) as hold_share,
        sum(silence_s) / sum(duration_s) as silence_share,
        avg(side_overtalk_share) as overtalk_share,
        sum(count_interruptions) * 3600 / sum(duration_s) as interruptions_per_hour,
        median(response_median_s) as response_wait_s
    from agents
    group by call_date, team
),

numbered as (
    select call_date, team, count_calls
    from counted
),

shown as (
    select * exclude (count_calls)
    from counted
    where count_calls >= getvariable('min_calls')
)

select numbered.*, shown.* exclude (call_date, team)
from numbered
left join shown using (call_date, team)
order by call_date, team
