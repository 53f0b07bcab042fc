-- Functions of the models; they stay in the published file for the analyst's own queries.
-- Write `case`, not `if(…)`: DuckDB 1.x cannot run an `if` that DuckDB 2 stored.

-- min_calls: the setting report.min_calls, with which the file was built
create macro min_calls() as $min_calls;

-- suppress_small_n: a figure, null where it rests on fewer calls than that
create macro suppress_small_n(figure, count_calls) as case when count_calls >= min_calls() then figure end;

-- log_odds: of a probability, which is held 0.002 from 0 and 1
create macro log_odds(probability) as
    ln(greatest(0.002, least(0.998, probability)) / (1 - greatest(0.002, least(0.998, probability))));

-- call_dissatisfaction: duration-weighted mean; the same numbers as
-- ser_batch.emotions.call_dissatisfaction
create macro call_dissatisfaction(dissatisfaction, duration_s) as
    sum(duration_s * dissatisfaction)
    / nullif(sum(duration_s) filter (where dissatisfaction is not null), 0);

-- held: a value kept within bounds; null stays null
create macro held(value, low, high) as
    case when value is not null then greatest(low, least(high, value)) end;

-- student_t: 97.5 % quantile of Student's t from 1 degree of freedom, right to 0.01 %: its logarithm
-- is a polynomial of 1 / degrees, fitted for the least error
create macro student_t_exponent(u) as
    0.672938 + u * (1.209886 + u * (0.709414 + u * (0.163783 + u * (-0.313614 + u * 0.099695))));
create macro student_t(degrees) as exp(student_t_exponent(held(1 / degrees, 0, 1)));

-- t_p_value: two-sided p-value of Student's t, by the normal deviate of the same tail
-- Source: Wallace (1959), Annals of Mathematical Statistics 30, 1124-1130; Abramowitz and Stegun
-- (1964), 26.2.17.
create macro tail_polynomial(k) as k * (
    0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429)))
);
create macro normal_p_value(z) as
    held(0.7978845608 * exp(-z * z / 2) * tail_polynomial(1 / (1 + 0.2316419 * abs(z))), 0, 1);
create macro t_p_value(t, degrees) as normal_p_value(
    (8 * degrees + 1) / (8 * degrees + 3) * sqrt(degrees * ln(1 + t ** 2 / degrees))
);

-- wilson_limit: an end of the interval of a share; side -1 is the lower end, 1 the upper
-- wilson_low, wilson_high: 95 % interval of a share, n hits of count_all independent calls
-- Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.
create macro wilson_limit(share, count_all, quantile, side) as held(
    (
        share + quantile ** 2 / (2 * nullif(count_all, 0))
        + side * quantile
        * sqrt(share * (1 - share) / count_all + quantile ** 2 / (4 * count_all ** 2))
    ) / (1 + quantile ** 2 / count_all),
    0,
    1
);
create macro wilson_low(hits, count_all) as
    wilson_limit(hits / nullif(count_all, 0), count_all, 1.95996, -1);
create macro wilson_high(hits, count_all) as
    wilson_limit(hits / nullif(count_all, 0), count_all, 1.95996, 1);

-- cluster_variance, cluster_degrees: aggregates over clusters (call dates or customers)
-- cluster_variance: variance of the sum of independent scores, corrected for the fit (CR2);
--   leverage is the cluster's share of its group; null where the group is a single cluster
-- cluster_degrees: Satterthwaite's degrees of freedom; G - 1 for G clusters of equal size
-- Source: Bell and McCaffrey (2002), Survey Methodology 28, 169-181, for a mean.
create macro rest_of_group(leverage) as nullif(round(1 - leverage, 9), 0);
create macro cluster_variance(score, leverage) as sum(score ** 2 / rest_of_group(leverage));
create macro cluster_degrees(leverage) as 1 / (
    sum(leverage ** 2) + sum(leverage ** 2 / rest_of_group(leverage)) ** 2
    - sum((leverage ** 2 / rest_of_group(leverage)) ** 2)
);

-- clustered_by: a table of one row a category, from the name of a table of calls with the columns
--   category, part, whole, call_date and customer: variance and degrees of freedom of the mean
--   sum(part) / sum(whole), clustered by call date (CR2), plus what calls of one customer share on
--   several dates, where that is above 0. Of a single date it is clustered by customer, and the mean
--   describes that date alone; null where that is a single customer
create macro clustered_by(rows) as table (
    with clustered_sums as (
        select
            category,
            case when grouping(customer) = 1 then 'date' when grouping(call_date) = 1 then 'customer'
                else 'both' end as kind,
            sum(part) as of_part,
            sum(whole) as of_whole
        from query_table(rows)
        where whole is not null
        group by grouping sets (
            (category, call_date), (category, customer), (category, call_date, customer)
        )
    ),

    clustered_totals as (
        select
            category,
            sum(of_whole) as total,
            sum(of_part) / total as mean,
            case when count(*) = 1 then 'customer' else 'date' end as main_kind
        from clustered_sums
        where kind = 'date'
        group by category
    ),

    clustered_scores as (
        select
            sums.category,
            kind,
            kind = main_kind as is_main,
            (of_part - mean * of_whole) / total as score,
            of_whole / total as leverage
        from clustered_sums as sums
        inner join clustered_totals as totals on sums.category is not distinct from totals.category
    )

    select
        category,
        cluster_variance(case when is_main then score end, leverage)
        + greatest(0, sum(case kind when 'customer' then 1 when 'both' then -1 else 0 end * score ** 2))
            as variance,
        cluster_degrees(case when is_main then leverage end) as degrees
    from clustered_scores
    group by category
);

-- correlation_sum: what the correlations of dates 1, 2 and 3 days apart add to the variance of a mean
--   over so many days, over that of independent dates; loss is the share of the pairs that a mean
--   loses with each day apart: 1 of a mean, 1.5 of its change from as many days before
-- Source: Newey and West (1987), Econometrica 55, 703-708; flat weights up to lag 3.
create macro correlation_sum(correlation_1, correlation_2, correlation_3, days, loss) as 2 * (
    (1 - loss / days) * coalesce(correlation_1, 0)
    + (1 - 2 * loss / days) * coalesce(correlation_2, 0)
    + (1 - 3 * loss / days) * coalesce(correlation_3, 0)
);

-- mean_inflation: what bad days that persist multiply the variance of a mean over so many days, or of
--   its change, by; loss as in correlation_sum
-- date_inflation: what they multiply it by because the dates within so many days vary less
create macro mean_inflation(correlation_1, correlation_2, correlation_3, days, loss) as
    greatest(1, 1 + correlation_sum(correlation_1, correlation_2, correlation_3, days, loss));
create macro date_inflation(of_mean, days) as
    coalesce((days - 1) / nullif(days - least(of_mean, days / 2), 0), 1);

-- welch_degrees: degrees of freedom of the difference of two groups; of the smaller if none varies
-- Source: Welch (1947), Biometrika 34, 28-35.
create macro welch_degrees(variance, degrees, variance_before, degrees_before) as coalesce(
    (variance + variance_before) ** 2
    / nullif(variance ** 2 / degrees + variance_before ** 2 / degrees_before, 0),
    case when degrees is not null and degrees_before is not null
        then least(degrees, degrees_before) end
);

-- effective_count: calls that would give the same variance were they independent; at most count_all
-- smooth_share: a share kept from 0 and 1, by one call each way
-- Source: Korn and Graubard (1998), Survey Methodology 24, 193-201.
create macro smooth_share(hits, count_all) as (hits + 1) / (count_all + 2);
create macro effective_count(hits, count_all, variance) as least(
    count_all,
    smooth_share(hits, count_all) * (1 - smooth_share(hits, count_all)) / nullif(variance, 0)
);

-- ratio_half_width: half of the 95 % interval of sum(part) / sum(whole) over independent rows,
-- Student's t; an aggregate over one row a cluster gives the clustered interval; null below two, and
-- where all rows have the same ratio: few that are alike do not show that all are
-- Source: Cochran (1977), Sampling Techniques, 3rd edition, 6.4, without the finite correction.
create macro ratio_variance(part, whole) as
    greatest(
        0,
        var_samp(part) - 2 * sum(part) / sum(whole) * covar_samp(part, whole)
        + (sum(part) / sum(whole)) ** 2 * var_samp(whole)
    )
    / (avg(whole) ** 2 * count(*));
create macro ratio_half_width(part, whole) as
    student_t(nullif(count(*) - 1, 0)) * sqrt(nullif(round(ratio_variance(part, whole), 12), 0));

-- mean_half_width: half of the 95 % interval of a mean of independent values, Student's t; null where
-- all are the same
create macro mean_half_width(value) as
    student_t(nullif(count(value) - 1, 0)) * nullif(stddev_samp(value), 0) / sqrt(count(value));

-- half_width: half of the 95 % interval of a mean, from the variance and degrees of freedom of
-- `clustered_by`
create macro half_width(variance, degrees) as student_t(degrees) * sqrt(variance);

-- effective_limit: an end of the 95 % interval of the share hits / count_all, Wilson with the
-- effective number of calls, from the variance and degrees of freedom of `clustered_by`
create macro effective_limit(hits, count_all, variance, degrees, side) as wilson_limit(
    hits / count_all, effective_count(hits, count_all, variance), student_t(degrees), side
);

-- effective_clusters: an aggregate over one row a cluster: calls that would give the same variance of
-- sum(hits) / sum(count_all) were they independent; all calls where each is a cluster of its own
create macro effective_clusters(hits, count_all) as case
    when count(*) in (1, sum(count_all)) then sum(count_all)
    else effective_count(sum(hits), sum(count_all), ratio_variance(hits, count_all))
end;

-- clustered_share: an aggregate over one row a cluster: the share sum(hits) / sum(count_all) with the
-- effective count and the quantile of Student's t; clusters of one call each give Wilson's own
-- interval; so does a single cluster, whose calls are taken as independent
-- clustered_low, clustered_high: its 95 % interval, Wilson
create macro clustered_share(hits, count_all) as {
    'share': sum(hits) / sum(count_all),
    'effective': effective_clusters(hits, count_all),
    'quantile': case
        when count(*) in (1, sum(count_all)) then 1.95996 else student_t(count(*) - 1)
    end
};
create macro clustered_low(clustered) as
    wilson_limit(clustered.share, clustered.effective, clustered.quantile, -1);
create macro clustered_high(clustered) as
    wilson_limit(clustered.share, clustered.effective, clustered.quantile, 1);

-- share_if_content, share_if_dissatisfied: bounds of the dissatisfied share of speech that may be
-- scored, if all of it that is uncertain were content, or dissatisfied
create macro share_if_content(dissatisfied_s, eligible_s) as
    coalesce(dissatisfied_s, 0) / nullif(eligible_s, 0);
create macro share_if_dissatisfied(dissatisfied_s, scored_s, eligible_s) as
    (coalesce(dissatisfied_s, 0) + eligible_s - coalesce(scored_s, 0)) / nullif(eligible_s, 0);

-- median_rank: which of so many values in order is the lower end of the median's 95 % interval, if
-- so many were independent; the upper end is as far from the top. Five values or fewer hold it with
-- less than 95 %.
-- median_low, median_high: those ends
-- Source: Conover (1999), Practical Nonparametric Statistics, 3rd edition, 3.2, rounded outwards;
-- Woodruff (1952), Journal of the American Statistical Association 47, 635-646, for clusters.
create macro median_rank(count_all, effective) as
    greatest(1, floor(count_all / 2 * (1 - 1.95996 / sqrt(effective))))::bigint;
create macro median_low(value, effective) as
    list_sort(list(value) filter (where value is not null))[median_rank(count(value), effective)];
create macro median_high(value, effective) as list_sort(list(value) filter (where value is not null))[
    count(value) + 1 - median_rank(count(value), effective)
];

-- difference_low, difference_high: 95 % interval of share - share_before from the ends of their own
-- Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
create macro difference_low(share, share_low, share_before, share_before_high) as held(
    share - share_before
    - sqrt((share - share_low) ** 2 + (share_before_high - share_before) ** 2),
    -1,
    1
);
create macro difference_high(share, share_high, share_before, share_before_low) as held(
    share - share_before
    + sqrt((share_high - share) ** 2 + (share_before - share_before_low) ** 2),
    -1,
    1
);

-- arc_class: which way a call went, from the dissatisfaction of its first and last third and its
-- flag; a change counts where its worse end reaches half the threshold and its
-- better end lies at most halfway from the threshold to 1;
-- the same words as ser_batch.lab.bench.arcs.arc_class
create macro arc_class(at_start, at_end, is_flagged, count_scored, threshold, least_change) as case
    when is_flagged is null then null
    when count_scored < 3 or at_start is null or at_end is null then 'uncertain'
    when at_end >= threshold / 2 and at_start <= (1 + threshold) / 2
        and log_odds(at_end) - log_odds(at_start) >= least_change
        then 'worsening'
    when at_start >= threshold / 2 and at_end <= (1 + threshold) / 2
        and log_odds(at_start) - log_odds(at_end) >= least_change
        then 'improving'
    when is_flagged then 'stayed negative'
    else 'stayed positive'
end;
