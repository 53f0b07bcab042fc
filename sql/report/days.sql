-- question: how dissatisfied was each queue on each day?
select *
from daily_dissatisfaction
where $all_days
order by call_date desc, queue
