-- rule: call_arc holds the ten tenths of each scored call and no other
select recording_id, count(call_arc.tenth) as count_tenths
from (select recording_id from call_summary where dissatisfaction is not null)
full outer join call_arc using (recording_id)
group by recording_id
having count(call_arc.tenth) <> 10
