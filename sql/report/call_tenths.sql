-- question: how did the customer's dissatisfaction go, tenth by tenth of the call?
select tenth, start_s, end_s, dissatisfaction
from call_arc
where recording_id = $recording_id
order by tenth
