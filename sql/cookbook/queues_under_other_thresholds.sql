-- question: Does the ranking of queues hang on the threshold? (rank 1: most dissatisfied)
with thresholds(threshold) as (
    values (0.15), (0.2), (0.26), (0.35), (0.5)
)

select
    threshold,
    queue,
    count(*) as count_scored_calls,
    count(*) filter (dissatisfaction >= threshold) / count(*) as dissatisfied_call_share,
    rank() over (
        partition by threshold order by count(*) filter (dissatisfaction >= threshold) / count(*) desc
    ) as rank
from call_summary
cross join thresholds
where dissatisfaction is not null
group by threshold, queue
having count(*) >= min_calls()
order by threshold, rank, queue
