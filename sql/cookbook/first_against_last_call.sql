-- question: Are customers who call again more dissatisfied the last time than the first?
with customers as (
    select
        'all' as category,
        arg_min(dissatisfaction, started_at) as first_call,
        arg_max(dissatisfaction, started_at) as last_call,
        last_call - first_call as part,
        1 as whole,
        max(call_date) as call_date,
        customer
    from call_summary
    where customer is not null and dissatisfaction is not null
    group by customer
    having count(*) > 1
),

compared as (
    select
        count(*) as count_customers,
        avg(first_call) as dissatisfaction_first,
        avg(last_call) as dissatisfaction_last,
        avg(part) as change
    from customers
),

found as (
    from clustered_by(customers)
)

select
    count_customers,
    suppress_small_n(dissatisfaction_first, count_customers) as dissatisfaction_first,
    suppress_small_n(dissatisfaction_last, count_customers) as dissatisfaction_last,
    suppress_small_n(change, count_customers) as change,
    suppress_small_n(held(change - half_width(found.variance, found.degrees), -1, 1), count_customers)
        as change_low,
    suppress_small_n(held(change + half_width(found.variance, found.degrees), -1, 1), count_customers)
        as change_high
from compared
left join found on true
