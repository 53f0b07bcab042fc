-- grain: one row a call date, measure and reference, by the model in use
-- version: 3
-- built: whole
select *
from lake_drift
where model_id = getvariable('model_id')
order by call_date, subject, name, reference
