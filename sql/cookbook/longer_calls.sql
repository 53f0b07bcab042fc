-- question: Are longer calls more dissatisfied?
with calls as (
    select *, ntile(4) over (order by duration_s, recording_id) as quarter
    from call_summary
    where dissatisfaction is not null
),

quarters as (
    select
        quarter,
        min(duration_s) as shortest_s,
        max(duration_s) as longest_s,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        clustered(dissatisfaction, 1, call_date, coalesce(customer, recording_id)) as found
    from calls
    group by quarter
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
order by quarter
