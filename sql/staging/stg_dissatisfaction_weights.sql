-- grain: one row an emotion
-- version: 1
-- built: whole
-- emotion: name of the emotion
-- weight: what its probability adds to dissatisfaction, 0..1 (setting dissatisfaction.weights)
select emotion, weight
from ref_dissatisfaction_weights
order by emotion
