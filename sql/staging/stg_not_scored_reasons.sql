-- grain: one row a reason why a call carries no emotion
-- version: 1
-- built: whole
-- code: stable reason code
-- meaning: the reason in words
-- remedy: what changes it; empty: nothing should
select code, meaning, remedy
from ref_not_scored_reasons
order by code
