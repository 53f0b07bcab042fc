-- question: by which attributes can calls be grouped? those with few different values
with given as (
    select unnest(map_entries(attributes)) as entry
    from call_summary
    where $all_days
)

select entry.key as name, list(distinct entry.value order by entry.value) as given_values
from given
group by entry.key
having count(distinct entry.value) between 2 and 12
order by count(*) desc, name
