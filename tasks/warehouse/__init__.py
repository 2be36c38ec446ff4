"""The warehouse: matches with their history, and everything an auditor needs to know how they came about.

Works on SQLite, PostgreSQL and DuckDB. Knows no orchestrator; all SQL of the project lives here.

| module | answers |
|---|---|
| `connection` | which database, without letting its password out |
| `migrations`, `schema` | which tables and views there are |
| `lock` | that two runs of a pipeline do not interleave |
| `runs` | what was tried, checked and how it ended |
| `programs`, `decisions` | which programs there are, and which one a pipeline uses |
| `learned_on` | which tables a program was learned on |
| `matches`, `unmatched`, `staging` | how a run's matches get in, wholly or not at all |
| `joined_tables` | both tables side by side, under a name of the pipeline's choice |
| `ids` | which run or program a shortened id means |
| `steadiness` | when a match found again is the one that is stored already |
| `query_rows`, `last_run` | which query rows have changed, and what the last run left behind |
| `needed_snapshots` | which snapshots a run that is to be replayed still needs |
| `audit`, `no_match`, `run_audit` | why a match is there, why none is, and all about a run |
| `changes`, `program_diff` | what changed between two runs, and between two programs |
| `replay` | whether a run comes out the same when it is done again |
| `labelled_audits` | what a person's labels say of a run |
| `erasure` | how a person's values go, and that they went stays |
| `cli` | all of this as commands: `python -m tasks.warehouse` |
"""
