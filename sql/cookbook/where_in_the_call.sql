-- question: In which part of the call does dissatisfaction rise, by queue?
with tenths as (
    select
        queue,
        tenth,
        count(dissatisfaction) as count_calls,
        avg(dissatisfaction) as mean,
        mean_half_width(dissatisfaction) as half_width
    from call_arc
    group by queue, tenth
)

select
    queue,
    tenth,
    count_calls,
    shown(mean, count_calls) as dissatisfaction,
    shown(greatest(0, mean - half_width), count_calls) as dissatisfaction_low,
    shown(least(1, mean + half_width), count_calls) as dissatisfaction_high
from tenths
order by queue, tenth
