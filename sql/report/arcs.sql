-- question: what is the emotional course of the calls of a queue?
select
    queue,
    count(*) as count_scored_calls,
    count(*) filter (arc = 'stayed positive') as count_stayed_positive,
    count(*) filter (arc = 'improving') as count_improving,
    count(*) filter (arc = 'worsening') as count_worsening,
    count(*) filter (arc = 'stayed negative') as count_stayed_negative,
    count(*) filter (arc = 'uncertain') as count_uncertain
from call_summary
where $period and dissatisfaction is not null
group by queue
order by count_scored_calls desc, queue
