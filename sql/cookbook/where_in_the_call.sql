-- question: In which part of the call does dissatisfaction rise, by queue?
select
    queue,
    tenth,
    count(dissatisfaction) as count_calls,
    avg(dissatisfaction) as dissatisfaction,
    mean_half_width(dissatisfaction) as half_width
from call_arc
group by queue, tenth
order by queue, tenth
