-- question: Which emotions make up the customers' speech in each queue?
select
    queue,
    emotion,
    sum(duration_s) as speech_s,
    sum(duration_s) / sum(sum(duration_s)) over (partition by queue) as share
from segment_emotion
where coalesce(queue, '') in (
    select coalesce(queue, '')
    from call_summary
    group by queue
    having count(dissatisfaction) >= min_calls()
)
group by queue, emotion
order by queue, share desc
