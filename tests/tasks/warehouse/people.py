"""A real run over two small tables of people: snapshots, the program applied, its matches in the warehouse."""

import pandas as pd

from tasks.ingestion import write_snapshot
from tests.tasks.warehouse.cases import START, program, row_hashes, write

REFERENCE = pd.DataFrame(
    {
        "code": ["r1", "r2", "r3", "r4"],
        "name": ["Grace Hopper", "Ada Lovelace", "Alan Mathison Turing", "Edsger Wybe Dijkstra"],
        "id": ["4", "4", "4", "4"],
    }
)
QUERY = pd.DataFrame(
    {"id": ["q1", "q2", "q3"], "name": ["grace hopper", "Ada Lovelace Byron", "Donald Knuth"], "note": ["x", "y", "z"]}
)
PARAMETERS = {"tables": {"reference_id": "code", "query_id": None}, "precision_target": 0.9}
USING = program(0.6, rules=("ada/grace", "east/west"))


def run(engine, folder, run_id="one", *, reference=REFERENCE, query=QUERY, at=START, using=USING, **changed):
    """Apply the program as a flow does, and write what it found; `changed` are columns of its matches."""
    handles = {"reference": write_snapshot(reference, folder), "query": write_snapshot(query, folder)}
    found = using.apply(reference, query, id=("code", "id"))
    return write(
        engine,
        run_id,
        found.matches.assign(**changed),
        found.unmatched,
        at=at,
        using=using,
        kept=row_hashes(query, "id", ["name"]),
        parameters=PARAMETERS,
        **{side: handle.content_hash for side, handle in handles.items()},
    )
