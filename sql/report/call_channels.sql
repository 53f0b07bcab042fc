-- question: who speaks on which channel of the call?
select *
from stg_channels
where recording_id = $recording_id
order by channel
