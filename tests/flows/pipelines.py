"""A pipeline's tables, warehouse and storage; its flows run in processes of their own (see `tests.flows.runner`)."""

import json
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.connection import reading, warehouse_engine
from tests.flows.cases import CHECKOUT

EXAMPLE = CHECKOUT / "docs/examples/autofj50/ShoppingMall"
DATABASES = ("sqlite", "postgresql", "duckdb")
MATCHES_AND_THEIR_REASONS = (schema.matches, schema.programs, schema.decisions, schema.query_rows)
TIMES = {"started_at", "ended_at", "stored_at", "learned_at", "checked_at", "decided_at", "valid_from", "valid_to"}


class Runner:
    """Runs jobs, each in a process of its own."""

    def __init__(self, environment, log):
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.flows.runner"],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        assert self.process.stdout.readline() == "ready\n", self.tail()

    def at_once(self, *jobs):
        """What came of jobs that ran at the same time."""
        self.process.stdin.write(json.dumps(jobs) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.tail()
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def tail(self):
        return self.log.read_text(errors="replace")[-4000:]


@dataclass(kw_only=True)
class Pipeline:
    """A pipeline on two tables, which start as the example's."""

    runner: Runner
    url: str
    folder: Path
    name: str = "malls"
    reference: pd.DataFrame = field(default_factory=lambda: example("left"))
    query: pd.DataFrame = field(default_factory=lambda: example("right"))

    def job(self, flow="match_tables", *, place=None, how=signal.SIGKILL, environment=(), **parameters):
        """A job for a runner, on the tables as they are now."""
        self.folder.mkdir(exist_ok=True)
        sources = {}
        for side in ("reference", "query"):
            table = getattr(self, side)
            # Named by its content: a job that waits reads what it was given.
            path = self.folder / f"{side}-{pd.util.hash_pandas_object(table).sum():x}.csv"
            table.to_csv(path, index=False)
            sources[side] = {"kind": "file", "path": str(path)}
        tables = {**sources, "compare": ["title"], **parameters.pop("tables", {})}
        return {
            "flow": flow,
            "place": place,
            "how": int(how),
            "parameters": {"pipeline": self.name, "tables": tables, **parameters},
            "environment": {
                "FUZZYJOIN_WAREHOUSE_URL": self.url,
                "FUZZYJOIN_STORAGE": str(self.storage),
                **dict(environment),
            },
        }

    def ends(self, *arguments, **options):
        """What came of a run: its id, or its error."""
        return self.runner.at_once(self.job(*arguments, **options))[0]

    def run(self, *arguments, **options):
        """The id of a run that succeeds."""
        ended = self.ends(*arguments, **options)
        assert "run" in ended, (ended, self.runner.tail())
        return ended["run"]

    def change_query_rows(self, count=10, *, shift=0):
        """Change the text of some query rows; their ids."""
        query = self.query.copy()
        places = range(3 + shift, len(query), len(query) // count)[:count]
        for place in places:
            # Half of them become another row's text, half of them nothing that any reference row is like.
            query.loc[place, "title"] = f"zq {place} blorp" if place % 2 else query["title"].iloc[place - 1] + " x"
        self.query = query
        return set(query["id"].iloc[list(places)])

    @property
    def storage(self):
        return self.folder / "storage"

    @contextmanager
    def engine(self):
        engine = warehouse_engine(self.url)
        yield engine
        engine.dispose()

    def rows(self, table, *which):
        """The rows of this pipeline, or of all where the table names none."""
        if "pipeline" in table.c:
            which = (*which, table.c.pipeline == self.name)
        with self.engine() as engine, reading(engine) as connection:
            found = connection.execute(sa.select(table).where(*which)).mappings()
            return ordered(dict(row) for row in found)

    def content(self, *tables):
        """All rows of tables, times and run ids included, by the table's name."""
        return {table.name: self.rows(table) for table in tables}

    def current_program(self):
        return self.rows(schema.pipelines)[0]["current_program_id"]

    def run_row(self, run_id):
        return next(row for row in self.rows(schema.runs) if row["run_id"] == run_id)

    def runs(self):
        """The pipeline's runs, in the order in which they began."""
        return sorted(self.rows(schema.runs), key=lambda row: row["started_at"])

    def matches(self):
        """The matches that hold now, by query id, without what tells when and by which run."""
        unsaid = {"opened_by_run", "valid_from"}
        return {
            row["query_id"]: {name: value for name, value in row.items() if name not in unsaid}
            for row in self.rows(schema.current_matches)
        }

    def tasks(self, run_id, server):
        """The name of each task of a run and of its last state, in the order in which they were asked for."""
        tasks = server.ask("POST", "task_runs/filter", flow_runs={"id": {"any_": [run_id]}})
        return [(task["name"], task["state_name"]) for task in sorted(tasks, key=lambda task: task["created"])]

    def states(self, run_id, server):
        """The name of the last state of each task of a run, by the task's name."""
        return dict(self.tasks(run_id, server))


def example(side):
    return pd.read_csv(EXAMPLE / f"{side}.csv", dtype=str)[["id", "title"]]


def ordered(rows):
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def touched(before, after):
    """Ids of the query rows of which a match was written or closed."""
    return {
        dict(row)["query_id"]
        for row in {frozenset(row.items()) for row in before} ^ {frozenset(row.items()) for row in after}
    }


def state(pipeline):
    """All that a warehouse holds of a pipeline, without times and with runs named by their place among those that
    succeeded; those that did not are "broken".
    """
    runs = pipeline.runs()
    done = [run["run_id"] for run in runs if run["status"] == "succeeded"]
    name_of = {
        run["run_id"]: f"run {done.index(run['run_id']) + 1}" if run["run_id"] in done else "broken" for run in runs
    }

    def plain(row, *unsaid):
        kept = {name: value for name, value in row.items() if name not in TIMES and name not in unsaid}
        return {name: name_of.get(value, value) if isinstance(value, str) else value for name, value in kept.items()}

    def table(which, *unsaid):
        return sorted(
            (plain(row, *unsaid) for row in pipeline.rows(which)), key=lambda row: json.dumps(row, default=str)
        )

    validations = {}
    for row in table(schema.validations):
        # Validations of another pipeline's runs stand in the same table.
        if row["run_id"] in name_of.values():
            validations.setdefault(row.pop("run_id"), []).append(row)
    return {
        "matches": table(schema.matches),
        "programs": table(schema.programs),
        # Learned again after a break, a program has one record a time, all of one content.
        "learning records": {(row["program_id"], row["content"]) for row in pipeline.rows(schema.learning_records)},
        "decisions": table(schema.decisions, "reason"),
        "query rows": table(schema.query_rows),
        "runs": {row["run_id"]: row for row in table(schema.runs, "parameters", "triggered_by")},
        "validations": validations,
    }


def require_consistent(pipeline):
    """What must hold of every warehouse: runs one after the other, and a history without gaps and doubles."""
    runs = {run["run_id"]: run for run in pipeline.runs()}
    worked = [run for run in runs.values() if run["status"] != "refused"]
    for earlier, later in pairwise(worked):
        assert earlier["ended_at"] <= later["started_at"], (earlier, later)
    written = pipeline.rows(schema.matches)
    by_row = {}
    for match in sorted(written, key=lambda match: match["valid_from"]):
        opened = runs[match["opened_by_run"]]
        assert (opened["status"], opened["ended_at"]) == ("succeeded", match["valid_from"])
        if match["valid_to"] is None:
            assert match["closed_by_run"] is None
        else:
            closed = runs[match["closed_by_run"]]
            assert (closed["status"], closed["ended_at"]) == ("succeeded", match["valid_to"])
        by_row.setdefault(match["query_id"], []).append(match)
    for held in by_row.values():
        for earlier, later in pairwise(held):
            assert earlier["valid_to"] is not None
            assert earlier["valid_to"] <= later["valid_from"]
    counted = {kind: Counter(match[f"{kind}_by_run"] for match in written) for kind in ("opened", "closed")}
    for run in worked:
        if run["covers"]:
            told = run["matches_opened"], run["matches_closed"]
            assert told == (counted["opened"][run["run_id"]], counted["closed"][run["run_id"]])
