-- rule: two models differ by -1 to 1, agree on a share of the speech, and are two
select *
from model_comparison
where difference not between -1 and 1
    or agreement not between 0 and 1.0001
    or model_id = other_model_id
