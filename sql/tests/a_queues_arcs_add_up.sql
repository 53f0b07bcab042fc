-- rule: every scored call of queue_day has one arc, every other call is not scored
select *
from queue_day
where count_stayed_positive + count_improving + count_worsening + count_stayed_negative
    + count_uncertain_arc <> count_scored_calls
    or count_scored_calls + count_not_scored_calls <> count_calls
