-- grain: one row each time that somebody saw, played or labelled a call, up to the last publication
-- version: 1
-- built: whole
select
    accessed_at,
    person,
    session_id,
    action,
    recording_id
from lake_access_log
order by accessed_at, access_id
