-- grain: one row a file, or line of metadata, and reason why it was left out or needs a look
-- version: 2
-- built: whole
select *
from lake_quarantine
order by noticed_at, audio_root, path, code, message
