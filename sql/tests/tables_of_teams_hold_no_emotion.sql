-- rule: tables by team or side hold interaction measures, never emotion
select table_name, column_name
from duckdb_columns()
where database_name = current_database()
    and table_name in ('team_day', 'call_side')
    and regexp_matches(column_name, 'dissatisf|emotion|^p_|arc|confidence')
