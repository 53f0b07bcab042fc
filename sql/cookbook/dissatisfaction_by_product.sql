-- question: Which product are dissatisfied callers calling about? (attribute product)
with products as (
    select
        attributes['product'] as product,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        count(*) filter (is_dissatisfied) as hits,
        clustered(is_dissatisfied::int, 1, call_date, coalesce(customer, recording_id)) as found
    from call_summary
    where dissatisfaction is not null
    group by product
)

select
    product,
    count_scored_calls,
    suppress_small_n(mean, count_scored_calls) as dissatisfaction,
    suppress_small_n(hits / count_scored_calls, count_scored_calls) as dissatisfied_call_share,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, -1), count_scored_calls
    ) as dissatisfied_call_share_low,
    suppress_small_n(
        effective_limit(hits, count_scored_calls, found.variance, found.degrees, 1), count_scored_calls
    ) as dissatisfied_call_share_high
from products
order by dissatisfied_call_share_low desc nulls last, product
