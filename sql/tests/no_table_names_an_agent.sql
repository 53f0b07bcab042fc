-- rule: nobody at work can be ranked by emotion, for no table carries an agent's id
select table_name, column_name
from duckdb_columns()
where database_name = current_database() and column_name in ('agent', 'agent_id')
