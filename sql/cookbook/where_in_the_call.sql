-- question: In which part of the call does dissatisfaction rise, by queue?
with calls as (
    select
        {'queue': arcs.queue, 'tenth': arcs.tenth} as category,
        arcs.dissatisfaction as part,
        1 as whole,
        arcs.call_date,
        coalesce(calls.customer, calls.recording_id) as customer
    from call_arc as arcs
    inner join call_summary as calls using (recording_id)
    where arcs.dissatisfaction is not null
),

tenths as (
    select category, count(*) as count_calls, avg(part) as mean
    from calls
    group by category
),

found as (
    from clustered_by(calls)
)

select
    tenths.category.queue as queue,
    tenths.category.tenth as tenth,
    count_calls,
    suppress_small_n(mean, count_calls) as dissatisfaction,
    suppress_small_n(held(mean - half_width(found.variance, found.degrees), 0, 1), count_calls)
        as dissatisfaction_low,
    suppress_small_n(held(mean + half_width(found.variance, found.degrees), 0, 1), count_calls)
        as dissatisfaction_high
from tenths
inner join found on tenths.category is not distinct from found.category
order by queue, tenth
