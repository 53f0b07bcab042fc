-- Table functions over the models; created when these are built, they stay in the published file.

-- compared: a table of one row: the dissatisfied calls of a period against those of the period
--   `before`, of one queue or all; or, against others, of a queue against the other queues in the
--   first period. Columns and method as in the mart trend; a share is withheld where its own calls are
--   few, a change where those of either group are. The change is within queue and hour of day; of a
--   queue against the others, within hour of day, and a call date is one cluster of both.
create macro compared(
    first_day, last_day, first_day_before, last_day_before, only_queue := null, against_others := false
) as table (
    with calls as (
        select
            call_date as day,
            hour,
            customer,
            is_dissatisfied,
            case when not against_others then queue end as stratum_queue,
            case when against_others then coalesce(queue = only_queue, false)
                else call_date between first_day and last_day end as is_new
        from call_summary
        where dissatisfaction is not null
            and (
                call_date between first_day and last_day
                or (not against_others and call_date between first_day_before and last_day_before)
            )
            and (against_others or only_queue is null or queue = only_queue)
    ),

    strata as (
        select
            stratum_queue,
            hour,
            count(*) filter (is_new) / count(*) as share_new,
            count(*) filter (is_dissatisfied) / count(*) as pooled
        from calls
        group by stratum_queue, hour
    ),

    cells as (
        select
            calls.is_new,
            calls.day,
            calls.customer,
            case when calls.is_new then 1 else -1 end as side,
            case when calls.is_new then 1 - strata.share_new else strata.share_new end as weight,
            strata.pooled,
            count(*) as count_scored,
            count(*) filter (calls.is_dissatisfied) as hits
        from calls
        inner join strata
            on calls.stratum_queue is not distinct from strata.stratum_queue
            and calls.hour = strata.hour
        group by all
    ),

    sums as (
        select
            coalesce(sum(count_scored) filter (is_new), 0) as count_new,
            coalesce(sum(count_scored) filter (not is_new), 0) as count_old,
            coalesce(sum(hits) filter (is_new), 0) as hits_new,
            coalesce(sum(hits) filter (not is_new), 0) as hits_old,
            nullif(sum(weight * count_scored) filter (is_new), 0) as weight,
            sum(side * weight * hits) / nullif(sum(weight * count_scored) filter (is_new), 0) as change,
            coalesce(sum(count_scored) filter (is_new and weight > 0), 0) as count_compared
        from cells
    ),

    scores as (
        select
            is_new,
            day,
            customer,
            sum((hits - count_scored * own_hits / own_count) / own_count) as share_score,
            sum(count_scored / own_count) as share_leverage,
            sum(side * weight * (hits - count_scored * (pooled + side * weight * change)) / all_weight)
                as change_score,
            sum(weight * count_scored / all_weight) as change_leverage
        from (
            select
                cells.*,
                sums.change,
                sums.weight as all_weight,
                case when is_new then sums.count_new else sums.count_old end as own_count,
                case when is_new then sums.hits_new else sums.hits_old end as own_hits
            from cells
            cross join sums
        )
        group by is_new, day, customer
    ),

    -- what persists is in both periods where one follows the other
    inflations as (
        select
            is_new,
            mean_inflation(correlation_1, correlation_2, correlation_3, own_days, 1) as of_mean,
            mean_inflation(
                correlation_1, correlation_2, correlation_3, own_days, 1 + own_days / (2 * other_days)
            ) as of_change,
            date_inflation(of_mean, own_days) as of_dates
        from (
            select true as is_new, last_day - first_day + 1 as own_days, case
                when against_others or first_day <> last_day_before + 1 then 1e9
                else last_day_before - first_day_before + 1 end as other_days
            union all
            select
                false,
                case when against_others then last_day - first_day + 1
                    else last_day_before - first_day_before + 1 end,
                case when against_others or first_day <> last_day_before + 1 then 1e9
                    else last_day - first_day + 1 end
        )
        left join stg_date_correlation
            on scope = case when only_queue is null then 'all' else 'queue' end
            and call_date = (select max(call_date) from stg_date_correlation where call_date <= last_day)
    ),

    dates as (
        select
            scores.is_new,
            day,
            sum(share_leverage) as share_leverage,
            sum(change_leverage) as change_leverage,
            sum(share_score) * sqrt(any_value(of_mean * of_dates) / rest_of_group(sum(share_leverage)))
                as share_score,
            sum(change_score) * sqrt(any_value(of_change * of_dates) / rest_of_group(sum(change_leverage)))
                as change_score
        from scores
        inner join inflations on scores.is_new = inflations.is_new
        group by scores.is_new, day
    ),

    of_customers as (
        select is_new, greatest(0, sum(extra)) as extra
        from (
            select is_new, sum(share_score) ** 2 - sum(share_score ** 2) as extra
            from scores
            where customer is not null
            group by is_new, customer
        )
        group by is_new
    ),

    groups as (
        select
            dates.is_new,
            count(*) as count_days,
            sum(share_score ** 2) + coalesce(any_value(of_customers.extra), 0) as share_variance,
            cluster_degrees(share_leverage) as share_degrees,
            sum(change_score ** 2) as change_variance,
            cluster_degrees(change_leverage) as change_degrees
        from dates
        left join of_customers on dates.is_new = of_customers.is_new
        group by dates.is_new
    ),

    -- of both groups together: a call date, or a customer, may be in both
    both_groups as (
        select
            (
                select sum(score ** 2)
                from (select sum(change_score) as score from dates group by day)
            ) + (
                select coalesce(greatest(0, sum(extra)), 0)
                from (
                    select sum(score) ** 2 - sum(score ** 2) as extra
                    from (
                        select customer, sum(change_score) as score
                        from scores
                        where customer is not null
                        group by customer, day
                    )
                    group by customer
                )
            ) as variance
    ),

    measured as (
        select
            sums.*,
            count_new::bigint as count_scored_calls,
            count_old::bigint as count_scored_calls_before,
            least(count_new, count_old) >= min_calls() as is_shown,
            coalesce(new_group.count_days, 0) as count_days,
            coalesce(old_group.count_days, 0) as count_days_before,
            hits_new / nullif(count_new, 0) as share,
            hits_old / nullif(count_old, 0) as share_before,
            new_group.share_variance as variance_new,
            new_group.share_degrees as degrees_new,
            old_group.share_variance as variance_old,
            old_group.share_degrees as degrees_old,
            both_groups.variance,
            smooth_share(hits_new + hits_old, count_new + count_old) as smooth,
            smooth * (1 - smooth) / weight as independent_variance,
            case
                when against_others then least(new_group.change_degrees, old_group.change_degrees)
                else welch_degrees(
                    new_group.change_variance,
                    new_group.change_degrees,
                    old_group.change_variance,
                    old_group.change_degrees
                )
            end as degrees,
            is_shown and new_group.change_degrees + old_group.change_degrees is not null as is_compared
        from sums
        cross join both_groups
        left join groups as new_group on new_group.is_new
        left join groups as old_group on not old_group.is_new
    ),

    judged as (
        select
            *,
            greatest(
                half_width(variance, degrees), 1.95996 * sqrt(independent_variance)
            ) as half_width,
            greatest(
                t_p_value(change / nullif(sqrt(variance), 0), degrees),
                normal_p_value(change / sqrt(independent_variance))
            ) as p_value
        from measured
    )

    select
        count_scored_calls,
        count_scored_calls_before,
        count_days,
        count_days_before,
        suppress_small_n(share, count_new) as dissatisfied_call_share,
        suppress_small_n(effective_limit(hits_new, count_new, variance_new, degrees_new, -1), count_new)
            as dissatisfied_call_share_low,
        suppress_small_n(effective_limit(hits_new, count_new, variance_new, degrees_new, 1), count_new)
            as dissatisfied_call_share_high,
        suppress_small_n(share_before, count_old) as dissatisfied_call_share_before,
        suppress_small_n(effective_limit(hits_old, count_old, variance_old, degrees_old, -1), count_old)
            as dissatisfied_call_share_before_low,
        suppress_small_n(effective_limit(hits_old, count_old, variance_old, degrees_old, 1), count_old)
            as dissatisfied_call_share_before_high,
        case when is_shown then share - share_before end as change,
        case when is_shown then judged.change end as adjusted_change,
        case when is_compared then held(judged.change - half_width, -1, 1) end as adjusted_change_low,
        case when is_compared then held(judged.change + half_width, -1, 1) end as adjusted_change_high,
        count_compared / nullif(count_new, 0) as compared_share,
        case when is_compared then p_value end as p_value,
        case
            when is_compared then null
            when count_new = 0 then 'no calls'
            when count_old = 0 then 'no calls before'
            when not is_shown then 'too few calls'
            when weight is null then 'no queue and hour in common'
            else 'single call date'
        end as not_compared_reason
    from judged
);
