"""The pipeline around the library: tables in, validation, matches out. Runs from a checkout, not the wheel.

| part | holds |
|---|---|
| `steps` | the chain: one step a module, each a task of the orchestrator |
| `run` | a run around its steps: lock, record, success, clean-up |
| `orchestration` | what is asked of the orchestrator besides |
| `handles`, `settings` | what travels between steps, and what a run is asked to do |
| `ingestion`, `validation`, `warehouse` | sources and snapshots; expectations; all SQL. They know no orchestrator |
| `store` | the storage folder |
| `pages`, `scrubbing` | what a person sees, and what nobody may see |
"""
