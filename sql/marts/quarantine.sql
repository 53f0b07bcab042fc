-- grain: one row a file, or line of metadata, and reason why it was left out or needs a look
-- version: 1
-- built: whole
select *
from lake_quarantine
order by noticed_at, path, code, message
