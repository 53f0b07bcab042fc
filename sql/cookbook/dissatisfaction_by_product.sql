-- question: Which product are dissatisfied callers calling about? (attribute product)
with calls as (
    select
        attributes['product'] as category,
        is_dissatisfied::int as part,
        1 as whole,
        call_date,
        coalesce(customer, recording_id) as customer,
        dissatisfaction
    from call_summary
    where dissatisfaction is not null
),

products as (
    select
        category as product,
        count(*) as count_scored_calls,
        avg(dissatisfaction) as mean,
        sum(part) as hits
    from calls
    group by category
),

found as (
    from clustered_by(calls)
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
inner join found on products.product is not distinct from found.category
order by dissatisfied_call_share_low desc nulls last, product
