-- question: what do dissatisfied calls have more of?
-- the quarter of the calls with most of a measure against the others; interval by Student's t,
-- clustered by call date and customer; null on a single date
with calls as (
    select
        call_date,
        coalesce(customer, recording_id) as customer,
        is_dissatisfied,
        hold_longest_s as "longest hold, s",
        response_time_median_s as "agent's pause before answering, s",
        silence_longest_s as "longest silence, s",
        overtalk_share * 100 as "both talk at once, % of the talk",
        duration_s / 60 as "length of the call, min"
    from call_summary
    where $all_days and dissatisfaction is not null
),

measured as (
    unpivot calls on columns(* exclude (call_date, customer, is_dissatisfied))
    into name measure value amount
),

cut as (
    select *, quantile_cont(amount, 0.75) over (partition by measure) as most
    from measured
),

counted as (
    select
        measure,
        any_value(most) as most,
        count(*) filter (amount > most) as count_most,
        count(*) filter (amount > most and is_dissatisfied) as hits_most,
        count(*) filter (amount <= most) as count_others,
        count(*) filter (amount <= most and is_dissatisfied) as hits_others,
        hits_most / nullif(count_most, 0) as share_most,
        hits_others / nullif(count_others, 0) as share_others
    from cut
    group by measure
    having least(count_most, count_others) >= $min_calls
),

scores as (
    select
        measure,
        call_date,
        customer,
        if(
            amount > counted.most,
            (is_dissatisfied::int - share_most) / count_most,
            -(is_dissatisfied::int - share_others) / count_others
        ) as score,
        1 / (count_most + count_others) as weight
    from cut
    inner join counted using (measure)
),

clusters as (
    select
        measure,
        grouping(customer) = 1 as is_date,
        grouping(call_date) = 1 as is_customer,
        sum(score) as score,
        sum(weight) as leverage
    from scores
    group by grouping sets (
        (measure, call_date), (measure, customer), (measure, call_date, customer)
    )
),

variances as (
    select
        measure,
        cluster_degrees(if(is_date, leverage, null)) as degrees,
        cluster_variance(if(is_date, score, null), leverage)
        + greatest(0, sum(case when is_date then 0 when is_customer then 1 else -1 end * score ** 2))
            as variance,
        any_value(smooth_share(hits_most + hits_others, count_most + count_others)) as smooth,
        any_value(1 / count_most + 1 / count_others) * smooth * (1 - smooth) as independent,
        if(degrees is null, null, greatest(
            student_t(degrees) * sqrt(variance), 1.95996 * sqrt(independent)
        )) as half_width
    from clusters
    inner join counted using (measure)
    group by measure
)

select
    measure,
    most,
    count_most,
    share_most,
    share_others,
    share_most - share_others as difference,
    held(share_most - share_others - half_width, -1, 1) as difference_low,
    held(share_most - share_others + half_width, -1, 1) as difference_high
from counted
inner join variances using (measure)
order by difference desc, measure
