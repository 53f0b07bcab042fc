-- question: Which product are dissatisfied callers calling about? (attribute product)
select
    attributes['product'] as product,
    count(*) as count_scored_calls,
    shown(avg(dissatisfaction), count(*)) as dissatisfaction,
    shown(count(*) filter (is_dissatisfied) / count(*), count(*)) as dissatisfied_call_share,
    shown(wilson_low(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_low,
    shown(wilson_high(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_high
from call_summary
where dissatisfaction is not null
group by product
order by dissatisfied_call_share_low desc nulls last, product
