-- rule: call_summary holds each recording of stg_calls once and no other
select recording_id, count(call_summary.recording_id) as count_rows
from stg_calls
full outer join call_summary using (recording_id)
group by recording_id
having count(call_summary.recording_id) <> 1 or count(stg_calls.recording_id) <> 1
