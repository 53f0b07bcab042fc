-- question: on which days are there scored calls?
select call_date, count(dissatisfaction) as count_scored_calls
from call_summary
where $queues
group by call_date
order by call_date
