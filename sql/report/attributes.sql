-- question: by which attributes can calls be told apart? those with few different values
-- never by who took the call: that would rank people at work by their customers' emotions
with given as (
    select unnest(map_entries(attributes)) as entry
    from call_summary
    where $all_days
)

select entry.key as name, list(distinct entry.value order by entry.value) as given_values
from given
where
    not regexp_matches(
        lower(entry.key),
        'agent|advis[eo]r|operator|employee|staff|handler|clerk|consultant|representative|colleague|'
        || 'mitarbeiter|login|team|supervisor|manager|coach|(handled|answered|taken)[ _-]?by'
    )
    and not list_has_any(string_split_regex(lower(entry.key), '[^a-z]+'), ['rep', 'csr', 'user'])
group by entry.key
having count(distinct entry.value) between 2 and 12
order by count(*) desc, name
limit 3
