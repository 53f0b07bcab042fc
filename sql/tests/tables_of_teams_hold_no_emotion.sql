-- rule: what is told by team or side is how calls were held, never how anybody felt
select table_name, column_name
from duckdb_columns()
where database_name = current_database()
    and table_name in ('team_day', 'call_side')
    and regexp_matches(column_name, 'dissatisf|emotion|^p_|arc|confidence')
