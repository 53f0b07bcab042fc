-- grain: one row a call date and queue
-- version: 4
-- built: by call date
-- count_calls: recordings
-- count_scored_calls: of these, with a dissatisfaction
-- coverage: scored seconds over seconds of the customers' segments, 0..1
-- coverage_eligible: scored seconds over seconds of the segments that may be scored, 0..1
-- dissatisfaction: mean over the scored calls, 0 content..1 dissatisfied; withheld (null), as all
--   that follows, where fewer calls are scored than the setting report.min_calls
-- dissatisfaction_low: lower end of its 95 % interval, Student's t over customers
-- dissatisfaction_high: upper end of its 95 % interval, Student's t over customers
-- dissatisfied_share: share of the scored speech in dissatisfied segments, 0..1
-- dissatisfied_share_low: lower end of its 95 % interval, Student's t over customers, of a ratio of
--   sums; null, as all intervals over customers, where these do not differ: that shows no spread
-- dissatisfied_share_high: upper end of its 95 % interval, Student's t over customers
-- dissatisfied_share_if_content: the share of the eligible speech if all uncertain speech were
--   content, 0..1
-- dissatisfied_share_if_dissatisfied: the same if all uncertain speech were dissatisfied, 0..1
-- count_dissatisfied_calls: calls that are flagged, call_summary.is_dissatisfied
-- dissatisfied_call_share: share of the scored calls that are dissatisfied, 0..1
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson, clustered by customer
-- dissatisfied_call_share_high: upper end of its 95 % interval, Wilson, clustered by customer
with counted as (
    select
        call_date,
        queue,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage,
        sum(scored_s) / nullif(sum(eligible_s), 0) as coverage_eligible,
        share_if_content(sum(dissatisfied_s), sum(eligible_s)) as if_content,
        share_if_dissatisfied(sum(dissatisfied_s), sum(scored_s), sum(eligible_s))
            as if_dissatisfied
    from call_summary
    group by call_date, queue
),

customers as (
    select
        call_date,
        queue,
        count(*) as count_scored,
        sum(dissatisfaction) as dissatisfaction,
        sum(dissatisfied_s) as dissatisfied_s,
        sum(scored_s) as scored_s,
        count(*) filter (is_dissatisfied) as hits
    from call_summary
    where dissatisfaction is not null
    group by call_date, queue, coalesce(customer, recording_id)
),

measured as (
    select
        call_date,
        queue,
        sum(dissatisfaction) / sum(count_scored) as dissatisfaction,
        ratio_half_width(dissatisfaction, count_scored) as half_width,
        sum(dissatisfied_s) / sum(scored_s) as dissatisfied_share,
        ratio_half_width(dissatisfied_s, scored_s) as share_half_width,
        sum(hits)::bigint as count_dissatisfied_calls,
        clustered_share(hits, count_scored) as call_share
    from customers
    group by call_date, queue
    having sum(count_scored) >= getvariable('min_calls')
)

select
    counted.* exclude (if_content, if_dissatisfied),
    measured.dissatisfaction,
    held(measured.dissatisfaction - measured.half_width, 0, 1) as dissatisfaction_low,
    held(measured.dissatisfaction + measured.half_width, 0, 1) as dissatisfaction_high,
    measured.dissatisfied_share,
    held(measured.dissatisfied_share - measured.share_half_width, 0, 1) as dissatisfied_share_low,
    held(measured.dissatisfied_share + measured.share_half_width, 0, 1) as dissatisfied_share_high,
    if(measured.call_date is null, null, counted.if_content) as dissatisfied_share_if_content,
    if(measured.call_date is null, null, counted.if_dissatisfied)
        as dissatisfied_share_if_dissatisfied,
    measured.count_dissatisfied_calls,
    measured.call_share.share as dissatisfied_call_share,
    clustered_low(measured.call_share) as dissatisfied_call_share_low,
    clustered_high(measured.call_share) as dissatisfied_call_share_high
from counted
left join measured
    on counted.call_date = measured.call_date
    and counted.queue is not distinct from measured.queue
order by call_date, queue
