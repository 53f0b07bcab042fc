-- question: Which faults do files have, how often, and what helps?
select
    severity,
    code,
    count(*) as count_files,
    any_value(remedy) as remedy,
    max(noticed_at) as last_noticed_at,
    arg_max(path, noticed_at) as example
from quarantine
group by severity, code
order by severity, count_files desc, code
