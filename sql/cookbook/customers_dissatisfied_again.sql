-- question: Which customers were dissatisfied in more than one call?
select
    customer,
    count(*) as count_calls,
    count(*) filter (is_dissatisfied) as count_dissatisfied_calls,
    max(started_at) as last_call_at,
    arg_max(call_id, dissatisfaction) as worst_call_id
from call_summary
where customer is not null
group by customer
having count(*) filter (is_dissatisfied) > 1
order by count_dissatisfied_calls desc, last_call_at desc, customer
limit 50
