-- question: how do days, hours, queues and attributes differ, and which way did their calls go?
select
    call_date,
    hour,
    queue,
    $attributes as attributes,
    count(*) as count_calls,
    count(dissatisfaction) as count_scored_calls,
    count(*) filter (is_dissatisfied) as count_dissatisfied_calls,
    count(*) filter (arc = 'stayed positive') as count_stayed_positive,
    count(*) filter (arc = 'improving') as count_improving,
    count(*) filter (arc = 'worsening') as count_worsening,
    count(*) filter (arc = 'stayed negative') as count_stayed_negative,
    count(*) filter (arc = 'uncertain') as count_uncertain
from call_summary
where $all_days
group by all
order by all
