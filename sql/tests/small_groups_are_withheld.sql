-- rule: no figure of fewer calls than report.min_calls is published, of scores no fewer scored calls
select 'daily_dissatisfaction' as mart, count_scored_calls as count_calls
from daily_dissatisfaction
where count_scored_calls < getvariable('min_calls') and dissatisfaction is not null
union all
select 'queue_day' as mart, count_scored_calls
from queue_day
where count_scored_calls < getvariable('min_calls') and dissatisfaction_peak is not null
union all
select 'hour_of_week' as mart, count_scored_calls
from hour_of_week
where count_scored_calls < getvariable('min_calls') and dissatisfaction is not null
union all
select 'trend' as mart, count_scored_calls
from trend
where least(count_scored_calls, count_scored_calls_before) < getvariable('min_calls')
    and change is not null
union all
select 'queue_day' as mart, count_calls
from queue_day
where count_calls < getvariable('min_calls') and mean_duration_s is not null
union all
select 'team_day' as mart, count_calls
from team_day
where count_calls < getvariable('min_calls') and mean_duration_s is not null
union all
select 'not_scored' as mart, count_day_calls
from not_scored
where count_day_calls < getvariable('min_calls') and call_share is not null
union all
select 'recovery' as mart, count_calls
from recovery
where count_calls < getvariable('min_calls') and recovered_share_60s is not null
