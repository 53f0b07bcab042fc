-- grain: one row a nightly run
-- version: 1
-- built: whole
select *
from lake_runs
order by run_id
