-- grain: one row a call date and queue
-- version: 2
-- built: by call date
-- count_calls: recordings
-- count_scored_calls: of these, with a dissatisfaction
-- coverage: scored seconds over seconds of the customers' segments, 0..1
-- dissatisfaction: mean over the scored calls, 0 content..1 dissatisfied; withheld (null), as all
--   that follows, where fewer calls are scored than the setting report.min_calls
-- dissatisfaction_low: lower end of its 95 % interval, Student's t over calls
-- dissatisfaction_high: upper end of its 95 % interval, Student's t over calls
-- dissatisfied_share: share of the scored speech in dissatisfied segments, 0..1
-- dissatisfied_share_low: lower end of its 95 % interval, Student's t over calls, of a ratio of sums
-- dissatisfied_share_high: upper end of its 95 % interval, Student's t over calls, of a ratio of sums
-- count_dissatisfied_calls: calls that are flagged, call_summary.is_dissatisfied
-- dissatisfied_call_share: share of the scored calls that are dissatisfied, 0..1
-- dissatisfied_call_share_low: lower end of its 95 % interval, Wilson
-- dissatisfied_call_share_high: upper end of its 95 % interval, Wilson
with counted as (
    select
        call_date,
        queue,
        count(*) as count_calls,
        count(dissatisfaction) as count_scored_calls,
        sum(scored_s) / nullif(sum(customer_s), 0) as coverage
    from call_summary
    group by call_date, queue
),

measured as (
    select
        call_date,
        queue,
        avg(dissatisfaction) as dissatisfaction,
        mean_half_width(dissatisfaction) as half_width,
        sum(dissatisfied_share * scored_s) / sum(scored_s) as dissatisfied_share,
        ratio_half_width(dissatisfied_share * scored_s, scored_s) as share_half_width,
        count(*) filter (is_dissatisfied) as count_dissatisfied_calls,
        count(*) as count_scored
    from call_summary
    where dissatisfaction is not null
    group by call_date, queue
    having count(*) >= getvariable('min_calls')
)

select
    counted.*,
    measured.dissatisfaction,
    greatest(0, measured.dissatisfaction - measured.half_width) as dissatisfaction_low,
    least(1, measured.dissatisfaction + measured.half_width) as dissatisfaction_high,
    measured.dissatisfied_share,
    greatest(0, measured.dissatisfied_share - measured.share_half_width) as dissatisfied_share_low,
    least(1, measured.dissatisfied_share + measured.share_half_width) as dissatisfied_share_high,
    measured.count_dissatisfied_calls,
    measured.count_dissatisfied_calls / measured.count_scored as dissatisfied_call_share,
    wilson_low(measured.count_dissatisfied_calls, measured.count_scored)
        as dissatisfied_call_share_low,
    wilson_high(measured.count_dissatisfied_calls, measured.count_scored)
        as dissatisfied_call_share_high
from counted
left join measured
    on counted.call_date = measured.call_date
    and counted.queue is not distinct from measured.queue
order by call_date, queue
