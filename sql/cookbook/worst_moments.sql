-- question: Which single moments are worth listening to?
select
    call_id,
    queue,
    path,
    channel,
    start_s,
    end_s,
    emotion,
    confidence,
    dissatisfaction
from segment_emotion
where is_dissatisfied and duration_s >= 2 and overlap_ratio < 0.3
order by dissatisfaction desc, duration_s desc, call_id, start_s
limit 50
