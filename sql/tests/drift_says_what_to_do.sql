-- rule: what moved says what to do, and what is no measure says why
select *
from drift
where (status in ('warning', 'drift', 'not comparable') and advice is null)
    or (status <> 'not comparable' and psi is null)
