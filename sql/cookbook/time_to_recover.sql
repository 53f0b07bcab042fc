-- question: How long after the worst moment do calls take to recover, by queue, and how many do?
-- of the calls in which a stretch is dissatisfied, whether the whole call is or not
select
    queue,
    count(*) as count_calls,
    count(recovery_s) as count_recovered_calls,
    suppress_small_n(count(recovery_s) / count(*), count(*)) as recovered_share,
    suppress_small_n(wilson_low(count(recovery_s), count(*)), count(*)) as recovered_share_low,
    suppress_small_n(wilson_high(count(recovery_s), count(*)), count(*)) as recovered_share_high,
    suppress_small_n(median(recovery_s), count(recovery_s)) as median_recovery_s
from call_summary
where dissatisfied_share > 0
group by queue
order by recovered_share nulls last, queue
