-- question: Are longer calls more dissatisfied?
with quarters as (
    select *, ntile(4) over (order by duration_s, recording_id) as quarter
    from call_summary
    where dissatisfaction is not null
),

measured as (
    select
        quarter,
        min(duration_s) as shortest_s,
        max(duration_s) as longest_s,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        mean_half_width(dissatisfaction) as half_width
    from quarters
    group by quarter
)

select
    quarter,
    shortest_s,
    longest_s,
    count_scored_calls,
    suppress_small_n(mean, count_scored_calls) as dissatisfaction,
    suppress_small_n(greatest(0, mean - half_width), count_scored_calls) as dissatisfaction_low,
    suppress_small_n(least(1, mean + half_width), count_scored_calls) as dissatisfaction_high
from measured
order by quarter
