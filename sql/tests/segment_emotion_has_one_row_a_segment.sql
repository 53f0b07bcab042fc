-- rule: recording_id, channel and segment_no name one row of segment_emotion
select recording_id, channel, segment_no, count(*) as count_rows
from segment_emotion
group by all
having count(*) > 1
