"""A run of `fuzzyjoin apply` that is killed and started again: the same bytes, and no finished part done twice.

The tables are enlarged (see `benchmarks._enlarged`), the program is learned on them and the index is built beforehand.
One run is left alone. A second one gets SIGKILL once a share of its parts is finished, and is started again. While that
goes on the files of the finished parts are watched: a part that was done again would be another file.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Clock, Column, apart, peak_memory_mb_of, print_table, write_json
from benchmarks.blocking_speed import pooled_titles
from benchmarks.learning_sample import learning_row
from fuzzyjoin.search.query_sample import SAMPLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["main"]

LOOK_SECONDS: Final = 0.01
"""How often a run's parts are looked at."""

OUTPUTS: Final = ("-matches.csv", "-unmatched.csv")

Parts: TypeAlias = dict[str, tuple[int, int]]

TABLE: Final = (
    Column("run", "run", 11),
    Column("parts", "finished", 6, "d"),
    Column("done again", "done_again", 10, "d"),
    Column("joined", "matched", 9, ",d"),
    Column("seconds", "seconds", 8, ".1f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
    Column("same files", "same", 10),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Let a run finish, kill another, start it again, and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument("--reference", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--queries", type=int, default=200_000, metavar="N", help="default: 200000")
    parser.add_argument("--batch-rows", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--share", type=float, default=0.6, metavar="SHARE", help="of the parts; default: 0.6")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    parts = -(-arguments.queries // arguments.batch_rows)
    killed_at = math.ceil(arguments.share * parts)
    if not 0 < killed_at < parts:
        parser.error(f"--share: {killed_at} of {parts} parts; give a share that leaves some finished and some not")
    reference = enlarged_reference(pooled_titles(arguments.tasks or autofj50_folder()).reference, arguments.reference)
    query = enlarged_queries(reference, arguments.queries)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learned = apart(learning_row, reference, query, 0, sample_rows=SAMPLE_ROWS, threads=arguments.threads)
        (folder / "program.json").write_text(learned["program"], encoding="utf-8")
        reference.to_csv(folder / "reference.csv", index=False)
        query.to_csv(folder / "query.csv", index=False)
        options = ["--batch-rows", str(arguments.batch_rows)]
        options += [] if arguments.threads is None else ["--threads", str(arguments.threads)]
        rows = print_table(TABLE, _runs(folder, options, parts, killed_at))
    write_json(arguments.json, {"killed_at": killed_at, "parts": parts, "runs": rows})
    if rows[-1]["same"] != "yes" or rows[-1]["done_again"]:
        raise SystemExit("the run that was started again did not go on where it was killed, or wrote other bytes")


def _runs(folder: Path, options: Sequence[str], parts: int, killed_at: int) -> Iterator[dict[str, Any]]:
    index = ["index", "program.json", "reference.csv", "--index", "indexes", "--quiet"]
    subprocess.run(_command(*index), cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (written above)
    yield {"run": "left alone", "finished": parts, **_apply(folder, "alone", options, lambda _: False)}

    killed = _apply(folder, "killed", options, lambda finished: len(finished) >= killed_at)
    kept = _finished(folder, "killed")
    yield {"run": "killed", "finished": len(kept), **killed}

    again: set[str] = set()

    def watch(finished: Parts) -> bool:
        # A part that is done again is another file.
        again.update(part for part, file in finished.items() if kept.get(part, file) != file)
        return False

    row = _apply(folder, "killed", options, watch)
    same = all(filecmp.cmp(folder / f"alone{kind}", folder / f"killed{kind}", shallow=False) for kind in OUTPUTS)
    yield {"run": "again", "finished": parts, "done_again": len(again), **row, "same": "yes" if same else "no"}


def _apply(folder: Path, output: str, options: Sequence[str], look: Callable[[Parts], bool]) -> dict[str, Any]:
    """Apply the program at the command line; `look` is shown the finished parts again and again, and can end the run.

    A run that is ended so gets SIGKILL, and must not have written its outputs.
    """
    matches, unmatched = (folder / f"{output}{kind}" for kind in OUTPUTS)
    call = ["apply", "program.json", "reference.csv", "query.csv", "-o", matches.name]
    call += ["--unmatched-out", unmatched.name, "--index", "indexes", "--quiet", "--json", *options]
    clock, peak, killed = Clock(), 0.0, False
    with (folder / "said.json").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(_command(*call), cwd=folder, stdout=said)  # noqa: S603 (written above)
        while process.poll() is None:
            peak = max(peak, peak_memory_mb_of(process.pid) or 0.0)
            if look(_finished(folder, output)):
                process.kill()
                killed = True
                break
            time.sleep(LOOK_SECONDS)
        row = {"seconds": clock.seconds, "peak_mb": peak}
        if process.wait() != (-signal.SIGKILL if killed else 0) or killed in {matches.exists(), unmatched.exists()}:
            raise SystemExit(f"fuzzyjoin apply ended with {process.returncode}, killed: {killed}")
        said.seek(0)
        return row if killed else {**row, "matched": json.load(said)["counts"]["matched"]}


def _finished(folder: Path, output: str) -> Parts:
    """The finished parts of a run, none once it is done: of each which file it is, and when that was written."""
    parts = folder / f"{output}{OUTPUTS[0]}.parts"
    try:
        files = {about.stem: about.with_name(f"{about.stem}-matches.parquet").stat() for about in parts.glob("0*.json")}
    except FileNotFoundError:
        return {}
    return {part: (file.st_ino, file.st_mtime_ns) for part, file in files.items()}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fuzzyjoin", *arguments]


if __name__ == "__main__":
    command(main)
