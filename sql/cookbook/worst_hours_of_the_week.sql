-- question: Which hours of the week hurt most, and are they worse than the whole beyond chance?
with whole as (
    select count(*) filter (is_dissatisfied) / count(dissatisfaction) as share
    from call_summary
    where call_date > (select max(call_date) from call_summary) - 28
)

select
    hour_of_week.queue,
    hour_of_week.weekday,
    hour_of_week.hour,
    hour_of_week.count_scored_calls,
    hour_of_week.dissatisfied_call_share,
    hour_of_week.dissatisfied_call_share_low,
    hour_of_week.dissatisfied_call_share_low > whole.share as is_worse_than_the_whole
from hour_of_week
cross join whole
where hour_of_week.dissatisfied_call_share is not null
order by hour_of_week.dissatisfied_call_share_low desc, queue, weekday, hour
limit 20
