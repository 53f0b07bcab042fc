-- question: what is the customer's dissatisfaction in each tenth of the call?
select tenth, start_s, end_s, dissatisfaction
from call_arc
where recording_id = $recording_id
order by tenth
