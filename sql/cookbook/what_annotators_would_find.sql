-- question: What share of the segments would annotators find dissatisfied, and what does the model?
select
    scope,
    queue,
    count_labelled_segments,
    predicted_share,
    corrected_share,
    corrected_share_low,
    corrected_share_high
from prevalence
order by scope, queue
