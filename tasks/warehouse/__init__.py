"""The warehouse: matches with their history, and everything an auditor needs to know how they came about.

Works on SQLite, PostgreSQL and DuckDB. Knows no orchestrator; all SQL of the project lives here.

| module | answers |
|---|---|
| `connection` | which database, without letting its password out |
| `migrations`, `schema` | which tables and views there are |
| `lock` | that two runs of a pipeline do not interleave |
| `runs` | what was tried, checked and how it ended |
| `programs`, `decisions` | which programs there are, and which one a pipeline uses |
| `materialise`, `staging` | how a run's matches get in, wholly or not at all |
| `audit`, `changes`, `program_diff` | why a match is there, what changed between two runs, and between two programs |
"""
