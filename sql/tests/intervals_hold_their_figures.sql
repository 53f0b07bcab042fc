-- rule: a figure of queues, hours and teams lies within its interval
with figures as (
    select 'daily_dissatisfaction' as mart, dissatisfied_share as figure,
        dissatisfied_share_low as low, dissatisfied_share_high as high
    from daily_dissatisfaction
    union all
    select 'queue_day', dissatisfaction_peak, dissatisfaction_peak_low, dissatisfaction_peak_high
    from queue_day
    union all
    select 'queue_day', mean_duration_s, mean_duration_low_s, mean_duration_high_s from queue_day
    union all
    select 'hour_of_week', dissatisfaction, dissatisfaction_low, dissatisfaction_high
    from hour_of_week
    union all
    select 'not_scored', call_share, call_share_low, call_share_high from not_scored
    union all
    select 'team_day', mean_duration_s, mean_duration_low_s, mean_duration_high_s from team_day
    union all
    select 'team_day', agent_talk_share, agent_talk_share_low, agent_talk_share_high from team_day
    union all
    select 'team_day', hold_share, hold_share_low, hold_share_high from team_day
    union all
    select 'team_day', silence_share, silence_share_low, silence_share_high from team_day
    union all
    select 'team_day', overtalk_share, overtalk_share_low, overtalk_share_high from team_day
    union all
    select 'team_day', interruptions_per_hour, interruptions_per_hour_low,
        interruptions_per_hour_high
    from team_day
    union all
    select 'team_day', response_time_median_s, response_time_median_low_s,
        response_time_median_high_s
    from team_day
)

select *
from figures
where not coalesce(figure between low - 0.0001 and high + 0.0001, true)
