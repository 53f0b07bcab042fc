-- Functions of the models; they stay in the published file for the analyst's own queries.

-- min_calls: the setting report.min_calls, with which the file was built
create macro min_calls() as $min_calls;

-- shown: a figure, null where it rests on fewer calls than that
create macro suppress_small_n(figure, count_calls) as case when count_calls >= min_calls() then figure end;

-- log_odds, from_log_odds: probability → log-odds and back
create macro log_odds(probability) as ln(probability / (1 - probability));
create macro from_log_odds(value) as 1 / (1 + exp(-value));

-- call_dissatisfaction: duration-weighted mean on log-odds, each value held 0.002 from 0 and 1;
-- the same numbers as ser_batch.emotions.call_dissatisfaction
create macro call_dissatisfaction(dissatisfaction, duration_s) as from_log_odds(
    sum(duration_s * log_odds(greatest(0.002, least(0.998, dissatisfaction))))
        filter (where dissatisfaction is not null)
    / nullif(sum(duration_s) filter (where dissatisfaction is not null), 0)
);

-- wilson_low, wilson_high: 95 % interval of a share, n hits of count_all; null for none
-- Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.
create macro wilson_centre(hits, count_all) as (hits + 1.9207) / (count_all + 3.8415);
create macro wilson_half(hits, count_all) as
    1.95996 * sqrt(hits * (count_all - hits) / count_all + 0.9604) / (count_all + 3.8415);
create macro wilson_low(hits, count_all) as
    greatest(0, wilson_centre(hits, count_all) - wilson_half(hits, nullif(count_all, 0)));
create macro wilson_high(hits, count_all) as
    least(1, wilson_centre(hits, count_all) + wilson_half(hits, nullif(count_all, 0)));

-- student_t: 97.5 % quantile of Student's t; right to 1 % from 3 degrees of freedom
-- Source: Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.7.5.
create macro student_t(degrees) as
    1.95996 + 2.37227 / degrees + 2.82250 / degrees ** 2 + 2.55585 / degrees ** 3
    + 1.58953 / degrees ** 4;

-- mean_half_width: half of the 95 % interval of a mean, Student's t; null below two values
create macro mean_half_width(value) as
    student_t(nullif(count(value) - 1, 0)) * stddev_samp(value) / sqrt(count(value));

-- ratio_half_width: half of the 95 % interval of sum(part) / sum(whole), Student's t over calls;
-- null below two calls
-- Source: Cochran (1977), Sampling Techniques, 3rd edition, 6.4, without the finite correction.
create macro ratio_half_width(part, whole) as
    student_t(nullif(count(*) - 1, 0))
    * sqrt(greatest(
        0,
        var_samp(part) - 2 * sum(part) / sum(whole) * covar_samp(part, whole)
        + (sum(part) / sum(whole)) ** 2 * var_samp(whole)
    ))
    / (avg(whole) * sqrt(count(*)));

-- median_rank: which of so many values in order is the lower end of the median's 95 % interval;
-- the upper end is as far from the top. Five values or fewer hold it with less than 95 %.
-- Source: Conover (1999), Practical Nonparametric Statistics, 3rd edition, 3.2; rounded outwards.
create macro median_rank(count_all) as
    greatest(1, floor(count_all / 2 - 1.95996 * sqrt(count_all) / 2))::bigint;
create macro median_low(value) as
    list_sort(list(value) filter (where value is not null))[median_rank(count(value))];
create macro median_high(value) as list_sort(list(value) filter (where value is not null))[
    count(value) + 1 - median_rank(count(value))
];

-- change_low, change_high: 95 % interval of the difference of two shares, from their Wilson ends
-- Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
create macro change_low(hits, count_all, hits_before, count_before) as greatest(
    -1,
    hits / count_all - hits_before / count_before
    - sqrt(
        (hits / count_all - wilson_low(hits, count_all)) ** 2
        + (wilson_high(hits_before, count_before) - hits_before / count_before) ** 2
    )
);
create macro change_high(hits, count_all, hits_before, count_before) as least(
    1,
    hits / count_all - hits_before / count_before
    + sqrt(
        (wilson_high(hits, count_all) - hits / count_all) ** 2
        + (hits_before / count_before - wilson_low(hits_before, count_before)) ** 2
    )
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
