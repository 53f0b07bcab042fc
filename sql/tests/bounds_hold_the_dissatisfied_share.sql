-- rule: the dissatisfied share lies between its bounds, and so they lie between 0 and 1
with bounds as (
    select 'call_summary' as mart, dissatisfied_share_if_content as low,
        dissatisfied_share_if_dissatisfied as high
    from call_summary
    union all
    select 'daily_dissatisfaction', dissatisfied_share_if_content,
        dissatisfied_share_if_dissatisfied
    from daily_dissatisfaction
    union all
    select 'queue_day', dissatisfied_share_if_content, dissatisfied_share_if_dissatisfied
    from queue_day
    union all
    select 'hour_of_week', dissatisfied_share_if_content, dissatisfied_share_if_dissatisfied
    from hour_of_week
    union all
    select 'trend', dissatisfied_share_if_content, dissatisfied_share_if_dissatisfied from trend
)

select *
from bounds
where low < -0.00001 or high > 1.00001 or low > high + 0.00001
