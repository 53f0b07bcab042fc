-- question: are calls of one period, or queue, more often dissatisfied than those of another?
from compared($first_date, $last_date, $first_before, $last_before, $only_queue, $against_others)
