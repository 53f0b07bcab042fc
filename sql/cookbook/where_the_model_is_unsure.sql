-- question: Where is the model unsure: in which queues, and on which lines?
with customers as (
    select
        recording_id,
        case
            when min(snr_db) is null then 'not known'
            when min(snr_db) < 12 then 'under 12 dB'
            when min(snr_db) < 25 then '12 to 25 dB'
            else '25 dB and more'
        end as snr
    from stg_channels
    where role = 'customer'
    group by recording_id
)

select
    queue,
    snr,
    count(*) as count_calls,
    sum(scored_s) / nullif(sum(customer_s), 0) as coverage
from call_summary
inner join customers using (recording_id)
where not_scored_reason is null or not_scored_reason = 'uncertain'
group by queue, snr
order by coverage, queue, snr
