-- question: How long after the worst moment do calls take to recover, by queue?
-- calls that end before they recover count with the time recorded (Kaplan-Meier)
select
    queue,
    count_calls,
    count_recovered_calls,
    recovered_share_60s,
    recovery_median_s,
    recovery_median_low_s,
    recovery_median_high_s
from recovery
order by recovery_median_s desc nulls first, queue
