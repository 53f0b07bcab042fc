-- question: In which part of the call does dissatisfaction rise, by queue?
with tenths as (
    select
        arcs.queue,
        arcs.tenth,
        count(*) as count_calls,
        avg(arcs.dissatisfaction) as mean,
        clustered(
            arcs.dissatisfaction, 1, arcs.call_date, coalesce(calls.customer, calls.recording_id)
        ) as found
    from call_arc as arcs
    inner join call_summary as calls using (recording_id)
    where arcs.dissatisfaction is not null
    group by arcs.queue, arcs.tenth
)

select
    queue,
    tenth,
    count_calls,
    suppress_small_n(mean, count_calls) as dissatisfaction,
    suppress_small_n(held(mean - half_width(found.variance, found.degrees), 0, 1), count_calls)
        as dissatisfaction_low,
    suppress_small_n(held(mean + half_width(found.variance, found.degrees), 0, 1), count_calls)
        as dissatisfaction_high
from tenths
order by queue, tenth
