-- question: Which product are dissatisfied callers calling about? (attribute product)
select
    attributes['product'] as product,
    count(*) as count_scored_calls,
    suppress_small_n(avg(dissatisfaction), count(*)) as dissatisfaction,
    suppress_small_n(count(*) filter (is_dissatisfied) / count(*), count(*)) as dissatisfied_call_share,
    suppress_small_n(wilson_low(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_low,
    suppress_small_n(wilson_high(count(*) filter (is_dissatisfied), count(*)), count(*))
        as dissatisfied_call_share_high
from call_summary
where dissatisfaction is not null
group by product
order by dissatisfied_call_share_low desc nulls last, product
