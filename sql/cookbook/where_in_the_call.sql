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
    suppress_small_n(mean, count_calls) as dissatisfaction,
    suppress_small_n(greatest(0, mean - half_width), count_calls) as dissatisfaction_low,
    suppress_small_n(least(1, mean + half_width), count_calls) as dissatisfaction_high
from tenths
order by queue, tenth
