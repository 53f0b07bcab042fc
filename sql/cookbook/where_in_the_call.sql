-- question: In which part of the call does dissatisfaction rise, by queue?
select
    queue,
    tenth,
    count(dissatisfaction) as count_calls,
    shown(avg(dissatisfaction), count(dissatisfaction)) as dissatisfaction,
    shown(mean_half_width(dissatisfaction), count(dissatisfaction)) as half_width
from call_arc
group by queue, tenth
order by queue, tenth
