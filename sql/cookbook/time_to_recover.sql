-- question: How long after the worst moment do calls take to recover, by queue, and how many do?
select
    queue,
    count(*) as count_dissatisfied_calls,
    count(recovery_s) / count(*) as recovered_share,
    wilson_low(count(recovery_s), count(*)) as recovered_share_low,
    wilson_high(count(recovery_s), count(*)) as recovered_share_high,
    median(recovery_s) as median_recovery_s
from call_summary
where dissatisfied_share > 0
group by queue
order by recovered_share, queue
