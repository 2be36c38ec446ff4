"""Train the scorer that ships with the package, on AutoFJ-50 and copies of it, and write its file.

The same lock files give the same bytes. Training needs the dependency group `train` (LightGBM) and takes some minutes
on one thread. `--check` compares with the shipped file instead of replacing it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks._command import command
from benchmarks._copies import COPIES, copy_of
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import say
from benchmarks._training import examples_of, train
from fuzzyjoin.files import write_text_file
from fuzzyjoin.scoring.scorer import scorer_bytes, scorer_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._training import Examples

__all__ = ["main", "training_tables"]

NAME: Final = "autofj50"
FOLDER: Final = Path(__file__).resolve().parents[1] / "fuzzyjoin" / "scoring" / "scorers"


def main(argv: Sequence[str] | None = None) -> None:
    """Train, and write or compare the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_scorer", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="AutoFJ-50's folder; default: fetched once and cached")
    parser.add_argument("--output", type=Path, metavar="DIR", default=FOLDER, help="where the file goes")
    parser.add_argument("--check", action="store_true", help="compare with the file in that folder, write nothing")
    arguments = parser.parse_args(argv)

    tables = training_tables(autofj50_folder(arguments.data))
    say("training trees and calibration")
    content = scorer_bytes(NAME, *train(tables))
    path = arguments.output / scorer_file_name(NAME, content)
    digest = hashlib.sha256(content).hexdigest()
    if arguments.check:
        same = path.is_file() and path.read_bytes() == content
        say(f"{path.name}: sha256 {digest}: {'the same bytes' if same else 'NOT what is there'}")
        sys.exit(0 if same else 1)
    write_text_file(path, content.decode())
    for old in arguments.output.glob(f"{NAME}-*.json"):
        if old != path:
            old.unlink()
    say(f"{path}: {len(content):,} bytes, sha256 {digest}")


def training_tables(folder: Path) -> list[Examples]:
    """Return the examples of every task of AutoFJ-50 and of its copies."""
    tables = []
    for name in task_names(folder):
        task = read_task(folder / name)
        for kind in COPIES:
            tables.append(examples_of(copy_of(task, kind), name=f"{name}, {kind}", family=name))
            say(f"{name}, {kind}: {tables[-1].right.size:,} candidates")
    return tables


if __name__ == "__main__":
    command(main)
