-- question: which calls say nothing, and why?
select
    not_scored_reason,
    meaning,
    remedy,
    sum(count_calls) as count_calls,
    sum(duration_s) as duration_s
from not_scored
where call_date between $from_date and $to_date
group by all
order by count_calls desc, not_scored_reason
