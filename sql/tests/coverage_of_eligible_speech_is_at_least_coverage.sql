-- rule: of the speech that may be scored at least as much is scored as of all speech, 1 at most
with coverages as (
    select coverage, coverage_eligible from call_summary
    union all
    select coverage, coverage_eligible from daily_dissatisfaction
    union all
    select coverage, coverage_eligible from queue_day
    union all
    select coverage, coverage_eligible from hour_of_week
    union all
    select coverage, coverage_eligible from trend
)

select *
from coverages
where coverage_eligible > 1.00001 or coverage_eligible < coverage - 0.00001
