"""Where a study is edited: strategies, tables, query, files."""
