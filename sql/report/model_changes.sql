-- question: since which night does another model score, and what does it make of the same calls?
-- every figure is by the model in use, also those of earlier days; it is earlier nights' reports
-- that show an earlier model's
with nights as (
    select started_at, model_id
    from runs
    where
        status in ('clean', 'partial')
        or (status = 'running' and run_id = (select max(run_id) from runs))
    union all
    -- a model that came into use without a night, by `ser-batch publish`
    select max(started_at) + interval 1 day, (select model_id from call_summary limit 1)
    from runs
    having count(*) > 0
),

in_order as (
    select
        started_at::date as night,
        model_id,
        lag(model_id) over (order by started_at) as model_id_before
    from nights
),

on_same_calls as (
    select
        other_model_id,
        count(*) as count_both,
        count(*) filter (is_dissatisfied) / count(*) as share,
        count(*) filter (other_is_dissatisfied) / count(*) as share_before
    from model_comparison
    where $all_days
    group by other_model_id
    having count(*) >= $min_calls
)

select
    in_order.*,
    coalesce(on_same_calls.count_both, 0) as count_both,
    on_same_calls.share,
    on_same_calls.share_before
from in_order
left join on_same_calls on in_order.model_id_before = on_same_calls.other_model_id
where in_order.night > $earliest_date and in_order.model_id <> in_order.model_id_before
order by in_order.night
