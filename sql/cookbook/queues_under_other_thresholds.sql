-- question: Does the ranking of queues hang on the threshold? (rank 1: most dissatisfied)
with thresholds(threshold) as (
    values (0.3), (0.4), (0.5), (0.6), (0.7)
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
