-- question: Does the ranking of queues hang on how calls are summed up? (rank 1: most dissatisfied)
with measures(measure) as (
    values ('index'), ('flagged calls'), ('worst tenth'), ('end of the call'), ('dissatisfied speech')
),

calls as (
    select
        measure,
        queue,
        case measure
            when 'index' then dissatisfaction
            when 'flagged calls' then is_dissatisfied::int
            when 'worst tenth' then dissatisfaction_peak
            when 'end of the call' then dissatisfaction_end
            else dissatisfied_share
        end as level
    from call_summary
    cross join measures
    where dissatisfaction is not null
)

select
    measure,
    queue,
    count(*) as count_scored_calls,
    avg(level) as level,
    rank() over (partition by measure order by avg(level) desc) as rank
from calls
group by measure, queue
having count(*) >= min_calls()
order by measure, rank, queue
