-- question: Which hours of the week are worst, and are they worse than the queue's other hours?
select
    queue,
    weekday,
    hour,
    count_scored_calls,
    dissatisfied_call_share,
    dissatisfied_call_share_low,
    dissatisfied_call_share_elsewhere,
    is_beyond_chance and dissatisfied_call_share > dissatisfied_call_share_elsewhere
        as is_worse_than_other_hours
from hour_of_week
where dissatisfied_call_share is not null
order by dissatisfied_call_share_low desc, queue, weekday, hour
limit 20
