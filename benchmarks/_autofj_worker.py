"""Runs inside the environment of the reference implementation: a join for each line of JSON on standard input.

A line names the task's folder, its columns, the id column and the options; the answer is one line of JSON with the
matches and the seconds of the join call alone.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Final

STARTED: Final = time.perf_counter()

import pandas as pd  # noqa: E402 (its import is timed)
from autofj import AutoFJ  # type: ignore[import-not-found]  # noqa: E402 (its import is timed)

SPACES: Final = {"small": "autofj_sm", "medium": "autofj_md", "large": "autofj_lg"}


def main() -> None:
    """Answer requests until standard input ends."""
    imported = time.perf_counter() - STARTED
    warnings.simplefilter("ignore")
    # The reference implementation prints: what it prints goes to standard error, the answers stay clean.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        answers.write(json.dumps({"import_seconds": imported}) + "\n")
        answers.flush()
        for line in sys.stdin:
            answers.write(json.dumps(join(json.loads(line))) + "\n")
            answers.flush()


def join(request: dict[str, Any]) -> dict[str, Any]:
    """Join one task with a matcher of its own: its blocker carries a setting over from one join into the next."""
    # Naming the columns by `on` raises KeyError, so that the tables hold no others.
    columns = [request["id"], *request["columns"]]
    reference, query = (read(Path(request["folder"]) / file, columns) for file in ("left.csv", "right.csv"))
    matcher = AutoFJ(
        precision_target=request["precision_target"],
        join_function_space=SPACES[request["space"]],
        n_jobs=request["n_jobs"],
    )
    with tempfile.TemporaryDirectory() as scratch:
        # It keeps pickles in the working directory, which the next join would pick up.
        os.chdir(scratch)
        start = time.perf_counter()
        joined = matcher.join(reference, query, request["id"])
        seconds = time.perf_counter() - start
        os.chdir(Path(scratch).parent)
    identifier = request["id"]
    pairs = list(zip(joined[f"{identifier}_l"], joined[f"{identifier}_r"]))  # noqa: B905 (columns of one frame)
    return {"pairs": pairs, "seconds": seconds, "peak_mb": peak_memory_mb()}


def read(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read a table as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")[columns]


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process or of one of its pool workers, in MiB."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    largest = max(usage.ru_maxrss for usage in usages)
    return largest / (1 << 20) if sys.platform == "darwin" else largest / 1024


if __name__ == "__main__":
    main()
