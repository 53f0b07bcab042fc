-- question: on which days are there enough scored calls for a figure?
select
    call_date,
    count(*) as count_calls,
    count(dissatisfaction) as count_scored_calls,
    count(*) filter (attributes['synthetic'] = 'true') as count_synthetic_calls
from call_summary
group by call_date
order by call_date
