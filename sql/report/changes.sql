-- question: which queues changed beyond chance, this week against the week before?
select *
from trend
where call_date = $last_date and window_days = 7 and $queues
order by scope, abs(adjusted_change) desc nulls last, queue
