-- question: how many calls were there, how many dissatisfied, and is that a change?
-- intervals: Wilson with the effective number of calls, clustered by call date and customer, and
-- widened as those of trend where bad days persist (stg_date_correlation); the correlation of calls of
-- one date is estimated from both periods, so a period may be a single date
-- difference: share of the period minus share of the days before; interval by Newcombe's method 10;
-- null where the correlation rests on fewer than two degrees of freedom (about three dates)
with calls as (
    select *, call_date >= $first_date as is_new
    from call_summary
    where $all_days
),

sums as (
    select
        count(*) filter (is_new) as count_calls,
        coalesce(sum(duration_s) filter (is_new), 0) as duration_s,
        count(dissatisfaction) filter (is_new) as count_scored,
        sum(scored_s) filter (is_new) / nullif(sum(customer_s) filter (is_new), 0) as coverage,
        sum(scored_s) filter (is_new) / nullif(sum(eligible_s) filter (is_new), 0)
            as coverage_eligible,
        count(*) filter (is_new and is_dissatisfied) as hits,
        count(dissatisfaction) filter (not is_new) as count_scored_before,
        count(*) filter (not is_new and is_dissatisfied) as hits_before,
        count(*) filter (attributes['synthetic'] = 'true') as count_synthetic
    from calls
),

scores as (
    select
        is_new,
        call_date,
        customer,
        is_dissatisfied::int - avg(is_dissatisfied::int) over period as score,
        1 / count(*) over period as weight
    from calls
    where dissatisfaction is not null
    window period as (partition by is_new)
),

dates as (
    select is_new, call_date, sum(score) as score, count(*) as date_count, sum(weight) as leverage
    from scores
    group by is_new, call_date
),

-- bad days that persist: they vary a period's mean more, and the dates within it less
correlations as (
    select [correlation_1, correlation_2, correlation_3] as by_days_apart
    from stg_date_correlation
    where scope = $scope and call_date <= $last_date
    order by call_date desc
    limit 1
),

pairs as (
    select
        one.is_new,
        sum(one.leverage * other.leverage * by_days_apart[other.call_date - one.call_date])
            as correlated
    from dates as one
    inner join dates as other
        on one.is_new = other.is_new
        and other.call_date - one.call_date between 1 and 3
    cross join correlations
    group by one.is_new
),

persistence as (
    select
        dates.is_new,
        count(*) as count_dates,
        greatest(1, 1 + 2 * coalesce(any_value(correlated), 0) / sum(leverage ** 2)) as of_mean,
        (count_dates - 1) / (count_dates - least(of_mean, count_dates / 2)) as of_dates
    from dates
    left join pairs using (is_new)
    group by dates.is_new
),

customers as (
    select is_new, sum(score) ** 2 - sum(date_score_2) as extra
    from (
        select is_new, customer, sum(score) as score, sum(score) ** 2 as date_score_2
        from scores
        where customer is not null
        group by is_new, customer, call_date
    ) as dates_of_customers
    group by is_new, customer
),

periods as (
    select
        dates.is_new,
        sum(date_count) as period_count,
        sum(date_count ** 2) / sum(date_count) as date_size,
        cluster_variance(score, leverage) * any_value(of_dates) as variance,
        any_value(of_mean) as of_mean,
        cluster_degrees(leverage) as degrees,
        any_value(independent) as independent,
        coalesce(any_value(extra), 0) / nullif(any_value(independent), 0) as customer_effect
    from dates
    inner join persistence using (is_new)
    inner join (select is_new, sum(score ** 2) as independent from scores group by is_new)
        using (is_new)
    left join (select is_new, greatest(0, sum(extra)) as extra from customers group by is_new)
        using (is_new)
    group by dates.is_new
),

correlated as (
    select
        sum(degrees) as degrees,
        greatest(0, coalesce(
            (sum(variance) / nullif(sum(independent) filter (variance is not null), 0) - 1)
            / nullif(
                sum(date_size * period_count) filter (variance is not null)
                / sum(period_count) filter (variance is not null) - 1,
                0
            ),
            0
        )) as date_correlation,
        max(coalesce(customer_effect, 0)) filter (is_new) as of_customers,
        max(coalesce(customer_effect, 0)) filter (not is_new) as of_customers_before,
        max(date_size) filter (is_new) as date_size,
        max(date_size) filter (not is_new) as date_size_before,
        max(of_mean) filter (is_new) as of_mean,
        max(of_mean) filter (not is_new) as of_mean_before
    from periods
),

effects as (
    select
        degrees,
        date_correlation,
        of_mean * (1 + date_correlation * (date_size - 1)) + of_customers as effect,
        of_mean_before * (1 + date_correlation * (date_size_before - 1)) + of_customers_before
            as effect_before
    from correlated
),

shares as (
    select
        sums.*,
        date_correlation,
        count_scored / effect as effective,
        count_scored_before / effect_before as effective_before,
        coalesce(student_t(degrees * (effect / nullif(effect - 1, 0)) ** 2), 1.95996) as quantile,
        hits / nullif(count_scored, 0) as share,
        hits_before / nullif(count_scored_before, 0) as share_before,
        wilson_limit(share, effective, quantile, -1) as share_low,
        wilson_limit(share, effective, quantile, 1) as share_high,
        wilson_limit(share_before, effective_before, quantile, -1) as share_before_low,
        wilson_limit(share_before, effective_before, quantile, 1) as share_before_high,
        coalesce(degrees >= 1.5, false) as is_compared
    from sums
    cross join effects
)

select
    * exclude (effective, effective_before, quantile, is_compared),
    share - share_before as difference,
    if(
        is_compared,
        difference_low(share, share_low, share_before, share_before_high),
        null
    ) as difference_low,
    if(
        is_compared,
        difference_high(share, share_high, share_before, share_before_low),
        null
    ) as difference_high
from shares
