-- grain: one row a nightly run
select *
from lake_runs
order by run_id
