-- question: Are customers who call again more dissatisfied the last time than the first?
with calls_of_customers as (
    select
        customer,
        count(*) as count_calls,
        arg_min(dissatisfaction, started_at) as first_call,
        arg_max(dissatisfaction, started_at) as last_call
    from call_summary
    where customer is not null and dissatisfaction is not null
    group by customer
    having count(*) > 1
)

select
    count(*) as count_customers,
    avg(first_call) as dissatisfaction_first,
    avg(last_call) as dissatisfaction_last,
    avg(last_call - first_call) as change,
    avg(last_call - first_call) - mean_half_width(last_call - first_call) as change_low,
    avg(last_call - first_call) + mean_half_width(last_call - first_call) as change_high
from calls_of_customers
