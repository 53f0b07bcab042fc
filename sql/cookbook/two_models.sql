-- question: On the same calls, how far do two models agree?
select
    other_model_id,
    count(*) as count_calls,
    corr(dissatisfaction, other_dissatisfaction) as correlation,
    avg(difference) as mean_difference,
    avg(agreement) as same_emotion_share
from model_comparison
group by other_model_id
order by other_model_id
