-- grain: one row a recording that a listener reviewed, seeing what the model says of it
-- version: 1
-- built: whole
-- reviewed_by: who reviewed the call or a segment of it, in order of the names
-- reviewed_at: when somebody did last, UTC
-- verdict: of the newest review of the whole call: right, wrong or cannot_tell; null: there is none
-- shown: what that review judges: dissatisfied or not_flagged
-- count_segments_right: segments whose predicted emotion the newest review of them finds right
-- count_segments_wrong: the same, finds wrong
with reviews as (
    select *
    from lake_labels
    where source = 'review'
),

segment_reviews as (
    select recording_id, verdict
    from reviews
    where segment_no is not null
    qualify row_number() over (
        partition by recording_id, channel, segment_no order by made_at desc, label_id desc
    ) = 1
),

call_reviews as (
    select recording_id, verdict, shown
    from reviews
    where segment_no is null and verdict <> 'note'
    qualify row_number() over (
        partition by recording_id order by made_at desc, label_id desc
    ) = 1
),

segments as (
    select
        recording_id,
        count(*) filter (verdict = 'right') as count_segments_right,
        count(*) filter (verdict = 'wrong') as count_segments_wrong
    from segment_reviews
    group by recording_id
)

select
    reviews.recording_id,
    list(distinct reviews.annotator order by reviews.annotator) as reviewed_by,
    max(reviews.made_at) as reviewed_at,
    any_value(call_reviews.verdict) as verdict,
    any_value(call_reviews.shown) as shown,
    coalesce(any_value(segments.count_segments_right), 0) as count_segments_right,
    coalesce(any_value(segments.count_segments_wrong), 0) as count_segments_wrong
from reviews
left join call_reviews using (recording_id)
left join segments using (recording_id)
group by reviews.recording_id
order by reviews.recording_id
