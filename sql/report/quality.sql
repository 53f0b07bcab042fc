-- question: what is the audio quality of the customers' channels?
with customers as (
    select channels.*
    from stg_channels as channels
    inner join call_summary using (recording_id)
    where $period and channels.role = 'customer'
)

select
    count(*) as count_channels,
    median(snr_db) as median_snr_db,
    avg(if(snr_db < 12, 1, 0)) as noisy_share,
    avg(if(clipping_ratio > 0.001, 1, 0)) as clipped_share,
    avg(if(denoised, 1, 0)) as denoised_share,
    avg(if(speech_s < 5, 1, 0)) as little_speech_share
from customers
