-- grain: one row a nightly run, up to the one that built this file
-- version: 3
-- built: whole
-- status: clean, partial (files went to quarantine), failed, or interrupted (killed)
select *
from lake_runs
order by run_id
