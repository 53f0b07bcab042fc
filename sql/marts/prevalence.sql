-- grain: one row a queue with random labels, by the model in use; scope `all` sums the queues
-- version: 1
-- built: whole
-- scope: all or queue
-- first_date: first call date with a random label; the figures are of all calls from there on
-- last_date: last call date with a random label, and the end of these calls
-- count_segments: segments that may be scored on these dates, uncertain ones too
-- count_labelled_segments: of these, drawn by chance and labelled
-- count_labelled_callers: callers that they come from
-- count_cannot_tell: segments drawn by chance of which no annotator can tell; they are left out
-- predicted_share: mean probability of dissatisfaction by the model, 0..1
-- labelled_share: mean share of the annotators that name dissatisfaction, 0..1; withheld (null), as
--   all that follows, with labels of fewer than 10 callers or fewer than report.min_calls segments
-- corrected_share: predicted_share corrected by the labels, 0..1: the share of segments that
--   annotators would find dissatisfied (prediction-powered, weight tuned)
-- corrected_share_low: lower end of its 95 % interval, Student's t, labels clustered by caller
-- corrected_share_high: upper end of its 95 % interval
-- prediction_weight: weight of the predictions in it, 0 labels alone..1
-- Source: Angelopoulos, Duchi and Zrnic (2023), PPI++, arXiv 2311.01453.
with decisions as (
    select *
    from lake_labels
    where source <> 'review'
    qualify row_number() over (
        partition by recording_id, channel, segment_no, annotator
        order by made_at desc, imported_at desc, label_id desc
    ) = 1
),

labelled as (
    select
        decisions.recording_id,
        decisions.channel,
        decisions.segment_no,
        avg(coalesce(targets.target, 0)) filter (decisions.emotion <> 'cannot_tell') as truth
    from decisions
    inner join lake_label_queue as queued using (recording_id, channel, segment_no)
    inner join stg_segments as segments using (recording_id, channel, segment_no)
    left join ref_dissatisfied as targets using (emotion)
    where queued.reason = 'random'
        and decisions.emotion is not null
        and least(decisions.end_s, segments.end_s) - greatest(decisions.start_s, segments.start_s)
        >= 0.8 * (
            greatest(decisions.end_s, segments.end_s)
            - least(decisions.start_s, segments.start_s)
        )
    group by decisions.recording_id, decisions.channel, decisions.segment_no
),

-- without labels there is none, and no prediction is read
labelled_dates as (
    select min(call_date) as first_date, max(call_date) as last_date
    from labelled
    inner join stg_calls using (recording_id)
),

predicted as (
    select
        calls.call_date,
        calls.queue,
        predictions.recording_id,
        coalesce(calls.customer, predictions.recording_id) as caller,
        predictions.dissatisfaction as predicted,
        labelled.truth,
        labelled.recording_id is not null as is_drawn
    from stg_predictions as predictions
    inner join stg_calls as calls using (recording_id)
    inner join labelled_dates
        on calls.call_date between labelled_dates.first_date and labelled_dates.last_date
    left join labelled using (recording_id, channel, segment_no)
    where predictions.model_id = getvariable('model_id')
),

scoped as (
    select 'queue' as scope, * from predicted
    union all by name
    select 'all' as scope, * replace (null as queue) from predicted
),

dates as (
    select
        scope,
        queue,
        min(call_date) filter (is_drawn) as first_date,
        max(call_date) filter (is_drawn) as last_date
    from scoped
    group by scope, queue
    having bool_or(is_drawn)
),

segments as (
    select scoped.*, dates.first_date, dates.last_date
    from scoped
    inner join dates
        on scoped.scope = dates.scope
        and scoped.queue is not distinct from dates.queue
        and scoped.call_date between dates.first_date and dates.last_date
),

summed as (
    select
        scope,
        queue,
        first_date,
        last_date,
        count(*) as count_segments,
        count(truth) as count_labelled,
        count(distinct caller) filter (truth is not null) as count_callers,
        count(*) filter (is_drawn and truth is null) as count_cannot_tell,
        avg(predicted) as predicted_share,
        avg(truth) as labelled_share,
        avg(predicted) filter (truth is not null) as predicted_of_labelled,
        held(
            coalesce(regr_slope(truth, predicted), 0) / (1 + count(truth) / count(*)), 0, 1
        ) as weight
    from segments
    group by scope, queue, first_date, last_date
),

callers as (
    select
        segments.scope,
        segments.queue,
        sum(
            truth - weight * predicted - (labelled_share - weight * predicted_of_labelled)
        ) / any_value(count_labelled) as score,
        count(*) / any_value(count_labelled) as leverage
    from segments
    inner join summed
        on segments.scope = summed.scope and segments.queue is not distinct from summed.queue
    where truth is not null
    group by segments.scope, segments.queue, caller
),

recordings as (
    select scope, queue, sum(predicted) as predicted, count(*) as count_segments
    from segments
    group by scope, queue, recording_id
),

variances as (
    select
        callers.scope,
        callers.queue,
        cluster_variance(score, leverage) as label_variance,
        cluster_degrees(leverage) as degrees,
        any_value(of_recordings.variance) as prediction_variance
    from callers
    inner join (
        select scope, queue, ratio_variance(predicted, count_segments) as variance
        from recordings
        group by scope, queue
    ) as of_recordings
        on callers.scope = of_recordings.scope
        and callers.queue is not distinct from of_recordings.queue
    group by callers.scope, callers.queue
),

corrected as (
    select
        summed.*,
        labelled_share + weight * (predicted_share - predicted_of_labelled) as corrected_share,
        student_t(degrees) * sqrt(label_variance + weight ** 2 * coalesce(prediction_variance, 0))
            as half_width,
        count_callers >= 10 and count_labelled >= getvariable('min_calls') as is_shown
    from summed
    left join variances
        on summed.scope = variances.scope and summed.queue is not distinct from variances.queue
)

select
    scope,
    queue,
    first_date,
    last_date,
    count_segments,
    count_labelled as count_labelled_segments,
    count_callers as count_labelled_callers,
    count_cannot_tell,
    predicted_share,
    if(is_shown, labelled_share, null) as labelled_share,
    if(is_shown, held(corrected_share, 0, 1), null) as corrected_share,
    if(is_shown, held(corrected_share - half_width, 0, 1), null) as corrected_share_low,
    if(is_shown, held(corrected_share + half_width, 0, 1), null) as corrected_share_high,
    if(is_shown, weight, null) as prediction_weight
from corrected
order by scope, queue
