-- grain: one row a nightly run
-- version: 2
-- built: whole
-- status: clean, partial (files went to quarantine), failed, interrupted (killed), or published: the
--   run that built this file, whose end the file cannot know
select * replace (if(status = 'running', 'published', status) as status)
from lake_runs
order by run_id
