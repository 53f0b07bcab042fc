-- rule: the corrected share lies within its interval, between 0 and 1
select *
from prevalence
where corrected_share not between corrected_share_low - 0.0001 and corrected_share_high + 0.0001
    or corrected_share_low < 0
    or corrected_share_high > 1
