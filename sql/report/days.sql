-- question: how dissatisfied was each queue on each day?
select *
from daily_dissatisfaction
where call_date between $earlier_date and $to_date
order by call_date desc, queue
