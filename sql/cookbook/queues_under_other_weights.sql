-- question: Does the ranking of queues hang on the weights? (rank 1: most dissatisfied)
with schemes(scheme, anger, frustration, disgust, fear, sadness, boredom) as (
    values
    ('anger alone', 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ('anger and frustration', 1.0, 1.0, 0.0, 0.0, 0.0, 0.0),
    ('all negative emotions alike', 1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    ('boredom too', 1.0, 1.0, 0.8, 0.4, 0.4, 0.4)
),

segments as (
    select 'as configured' as scheme, queue, recording_id, duration_s, dissatisfaction
    from segment_emotion
    where dissatisfaction is not null
    union all
    select
        schemes.scheme,
        segments.queue,
        segments.recording_id,
        segments.duration_s,
        coalesce(p_anger, 0) * anger + coalesce(p_frustration, 0) * frustration
        + coalesce(p_disgust, 0) * disgust + coalesce(p_fear, 0) * fear
        + coalesce(p_sadness, 0) * sadness + coalesce(p_boredom, 0) * boredom as dissatisfaction
    from segment_emotion as segments
    cross join schemes
    where segments.dissatisfaction is not null
),

calls as (
    select
        scheme,
        queue,
        recording_id,
        call_dissatisfaction(dissatisfaction, duration_s) as dissatisfaction
    from segments
    group by scheme, queue, recording_id
)

select
    scheme,
    queue,
    count(*) as count_calls,
    avg(dissatisfaction) as dissatisfaction,
    rank() over (partition by scheme order by avg(dissatisfaction) desc) as rank
from calls
group by scheme, queue
having count(*) >= min_calls()
order by scheme, rank, queue
