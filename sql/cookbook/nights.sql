-- question: What did the last nights do, and how fast?
select
    run_id,
    status,
    audio_s / 3600 as audio_h,
    date_diff('second', started_at, finished_at) as wall_s,
    audio_s / nullif(date_diff('second', started_at, finished_at), 0) as times_real_time,
    counts,
    message
from runs
order by run_id desc
limit 30
