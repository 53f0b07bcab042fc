-- rule: a change of a share and its interval lie between -1 and 1, and the interval holds it
select *
from trend
where change not between -1 and 1
    or change_low < -1
    or change_high > 1
    or change not between change_low - 0.00001 and change_high + 0.00001
    or adjusted_change_low < -1
    or adjusted_change_high > 1
    or adjusted_change not between adjusted_change_low - 0.00001 and adjusted_change_high + 0.00001
