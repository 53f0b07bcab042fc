-- rule: no figure of fewer scored calls than report.min_calls is published
select 'daily_dissatisfaction' as mart, count_scored_calls
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
