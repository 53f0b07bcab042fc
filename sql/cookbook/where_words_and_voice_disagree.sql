-- question: Which segments sound content and say the opposite, or the other way round?
select
    call_date,
    queue,
    call_id,
    start_s,
    dissatisfaction_voice,
    dissatisfaction_words,
    dissatisfaction,
    dissatisfaction_words - dissatisfaction_voice as words_less_voice
from segment_emotion
where abs(dissatisfaction_words - dissatisfaction_voice) >= 0.3
order by abs(words_less_voice) desc, call_date, call_id, start_s
limit 50
