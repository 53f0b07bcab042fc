-- question: Are longer calls more dissatisfied?
with calls as (
    select
        ntile(4) over (order by duration_s, recording_id) as category,
        dissatisfaction as part,
        1 as whole,
        call_date,
        coalesce(customer, recording_id) as customer,
        duration_s
    from call_summary
    where dissatisfaction is not null
),

quarters as (
    select
        category as quarter,
        min(duration_s) as shortest_s,
        max(duration_s) as longest_s,
        count(*) as count_scored_calls,
        avg(part) as mean
    from calls
    group by category
),

found as (
    from clustered_by(calls)
)

select
    quarter,
    shortest_s,
    longest_s,
    count_scored_calls,
    suppress_small_n(mean, count_scored_calls) as dissatisfaction,
    suppress_small_n(held(mean - half_width(found.variance, found.degrees), 0, 1), count_scored_calls)
        as dissatisfaction_low,
    suppress_small_n(held(mean + half_width(found.variance, found.degrees), 0, 1), count_scored_calls)
        as dissatisfaction_high
from quarters
inner join found on quarters.quarter = found.category
order by quarter
