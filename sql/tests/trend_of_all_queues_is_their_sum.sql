-- rule: the trend's row of all queues counts the calls of the queues' rows
select
    call_date,
    window_days,
    sum(count_scored_calls) filter (scope = 'all') as count_all,
    sum(count_scored_calls) filter (scope = 'queue') as count_queues
from trend
group by call_date, window_days
having count_all <> count_queues
