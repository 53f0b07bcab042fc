-- rule: the calls of daily_dissatisfaction are those of call_summary
with counts as (
    select
        (select count(*) from call_summary) as count_summaries,
        (select coalesce(sum(count_calls), 0) from daily_dissatisfaction) as count_daily
)

select *
from counts
where count_summaries <> count_daily
