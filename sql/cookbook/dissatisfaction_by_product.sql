-- question: Which product are dissatisfied callers calling about? (attribute product)
with days as (
    select
        attributes['product'] as product,
        count(*) as count_scored,
        count(*) filter (is_dissatisfied) as hits,
        sum(dissatisfaction) as dissatisfaction
    from call_summary
    where dissatisfaction is not null
    group by product, call_date
)

select
    product,
    sum(count_scored)::bigint as count_scored_calls,
    suppress_small_n(sum(dissatisfaction) / sum(count_scored), sum(count_scored)) as dissatisfaction,
    suppress_small_n(sum(hits) / sum(count_scored), sum(count_scored)) as dissatisfied_call_share,
    suppress_small_n(clustered_low(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_low,
    suppress_small_n(clustered_high(hits, count_scored), sum(count_scored)) as dissatisfied_call_share_high
from days
group by product
order by dissatisfied_call_share_low desc nulls last, product
