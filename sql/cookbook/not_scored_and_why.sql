-- question: What share of the calls is not scored, and why?
select
    coalesce(reasons.meaning, 'scored') as what,
    any_value(reasons.remedy) as remedy,
    count(*) as count_calls,
    count(*) / sum(count(*)) over () as share
from call_summary as calls
left join stg_not_scored_reasons as reasons on calls.not_scored_reason = reasons.code
group by what
order by count_calls desc, what
