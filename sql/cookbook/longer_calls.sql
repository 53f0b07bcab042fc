-- question: Are longer calls more dissatisfied?
with quarters as (
    select *, ntile(4) over (order by duration_s, recording_id) as quarter
    from call_summary
    where dissatisfaction is not null
)

select
    quarter,
    min(duration_s) as shortest_s,
    max(duration_s) as longest_s,
    count(*) as count_scored_calls,
    avg(dissatisfaction) as dissatisfaction,
    mean_half_width(dissatisfaction) as half_width
from quarters
group by quarter
order by quarter
