-- rule: what moved says what to do, and what is no measure says why
select *
from drift
where (level in ('watch', 'drift', 'not comparable') and advice is null)
    or (level <> 'not comparable' and psi is null)
