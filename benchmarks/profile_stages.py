"""What the time of AutoFJ-50 is spent on, and how far each part is from what the machine allows.

Stages are wall seconds as the join itself reports them. Parts are processor seconds over all threads, each without the
parts that it calls; the time in their wrappers makes a profiled run a little slower than a plain one. The bounds
(rapidfuzz alone, a plain memory copy) are measured in the same run.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import itertools
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np
from rapidfuzz.distance import JaroWinkler, Levenshtein
from rapidfuzz.process import cdist, cpdist

from benchmarks._command import (
    add_join_options,
    add_json_option,
    announce_kernels,
    command,
    join_options,
    seconds_since_start,
)
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, print_table, say, timed_join, write_json
from fuzzyjoin.blocking import CandidatePairs, pair_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from benchmarks._data import Task

__all__ = ["Part", "main", "profiled"]

SEED: Final = 2021
SCORERS: Final = {"edit": Levenshtein.distance, "jaro-winkler": JaroWinkler.distance}
PAIRS: Final = 400_000
CANDIDATES: Final = 50
SIDE: Final = 1_500
COPIED_BYTES: Final = 1 << 28
ATTEMPTS: Final = 3

STAGES: Final = (
    Column("stage", "stage", 22),
    Column("seconds", "seconds", 8, ".2f"),
    Column("share", "share", 6, ".0%"),
    Column("million pairs/s", "million_pairs_a_second", 15, ".2f"),
)
PARTS: Final = (
    Column("part", "part", 30),
    Column("calls", "calls", 8, "d"),
    Column("cpu s", "cpu_seconds", 7, ".2f"),
    Column("share", "share", 6, ".0%"),
    Column("million", "millions", 9, ".1f"),
    Column("of", "unit", 18),
    Column("million/cpu s", "millions_a_second", 13, ".2f"),
    Column("GB/cpu s", "gigabytes_a_second", 8, ".2f"),
)


@dataclass
class Part:
    """A function of the library: how much it did, and in how many processor seconds without the parts it called."""

    owner: str
    name: str
    unit: str
    work: Callable[[tuple[Any, ...], Any], tuple[int, int]]
    calls: int = 0
    cpu_seconds: float = 0.0
    measuring_seconds: float = 0.0
    units: int = 0
    touched_bytes: int = 0

    @property
    def label(self) -> str:
        """The module or class, and the function."""
        return f"{self.owner.rpartition('.')[2].rpartition(':')[2]}.{self.name}"


def main(argv: Sequence[str] | None = None) -> None:
    """Profile the tasks and print stages, parts and bounds."""
    import_seconds = seconds_since_start()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_stages", description=__doc__)
    add_join_options(parser, method="auto")
    add_json_option(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the tasks' folder; default: fetched once and cached")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    arguments = parser.parse_args(argv)
    options = join_options(arguments)

    folder = autofj50_folder(arguments.data)
    tasks = [read_task(folder / name) for name in task_names(folder, arguments.task)]
    announce_kernels(options, import_seconds)

    seconds: Counter[str] = Counter()
    pairs = 0
    wall, processor = time.perf_counter(), time.process_time()
    with profiled(library_parts()) as parts:
        for task in tasks:
            result, _ = timed_join(task, options)
            seconds.update(result.seconds)
            pairs += int(result.counts["candidate_pairs"])
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    processor -= sum(part.measuring_seconds for part in parts)

    stages = print_table(STAGES, _stage_rows(seconds, pairs))
    say(f"{len(tasks)} tasks: {wall:.2f} s of wall time, {processor:.2f} s of processor time, {pairs} candidate pairs")
    say()
    rows = print_table(PARTS, _part_rows(parts, processor))
    say()
    rates = machine_rates(tasks)
    for name, rate in rates.items():
        say(f"{name}: {rate:.2f}")
    write_json(
        arguments.json,
        {"seconds": wall, "cpu_seconds": processor, "stages": stages, "parts": rows, "rates": rates},
    )


def library_parts() -> list[Part]:
    """Return the parts that together make up nearly all of a join."""
    return [
        Part("fuzzyjoin.tables.key_table", "key_table", "rows", lambda given, _: (len(given[0]), 0)),
        Part("fuzzyjoin.text.preprocessing", "blocking_text", "rows", lambda _, result: (len(result), 0)),
        Part("fuzzyjoin.kernels.topk", "top_k", "list entries", _top_k_work),
        Part("fuzzyjoin.blocking.negative_rules", "learn_rules", "pairs", lambda given, _: (len(given[0]), 0)),
        Part("fuzzyjoin.blocking.negative_rules:NegativeRules", "forbid", "pairs", lambda given, _: (len(given[1]), 0)),
        Part("fuzzyjoin.text.preprocessing", "preprocess", "texts", lambda _, result: (len(result), 0)),
        Part("fuzzyjoin.text.tokens:TokenIndex", "build", "texts", lambda given, _: (len(given[0]), 0)),
        Part("fuzzyjoin.text.tokens:TokenIndex", "encode", "texts", lambda given, _: (len(given[1]), 0)),
        Part("rapidfuzz.process", "cpdist", "pairs", lambda _, result: (result.size, 0)),
        Part("fuzzyjoin.kernels.set_distances", "set_distances", "pairs", _set_distances_work),
        Part("fuzzyjoin.kernels.neighbours", "nearest_two", "distances", _distances_read),
        Part("fuzzyjoin.kernels.neighbours", "neighbourhood_counts", "distances", _distances_read),
        Part("fuzzyjoin.kernels.greedy", "greedy_union", "rows x functions", lambda given, _: (given[0].size, 0)),
    ]


@contextmanager
def profiled(parts: list[Part]) -> Iterator[list[Part]]:
    """Measure the parts while the context lasts."""
    running = threading.local()
    lock = threading.Lock()

    def measured(part: Part, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (stands in for any function)
            outer = getattr(running, "inner_seconds", 0.0)
            running.inner_seconds = 0.0
            start = time.thread_time()
            result = function(*args, **kwargs)
            spent = time.thread_time() - start
            units, touched = part.work(args, result)
            with_measuring = time.thread_time() - start
            with lock:
                part.calls += 1
                part.cpu_seconds += spent - running.inner_seconds
                part.measuring_seconds += with_measuring - spent
                part.units += units
                part.touched_bytes += touched
            running.inner_seconds = outer + with_measuring
            return result

        return wrapper

    with ExitStack() as patches:
        for part in parts:
            module, _, owner = part.owner.partition(":")
            home: Any = importlib.import_module(module)
            home = getattr(home, owner) if owner else home
            original = getattr(home, part.name)
            stand_in: Any = measured(part, original)
            if inspect.ismethod(original):
                stand_in = staticmethod(stand_in)
            for user in [home] if owner else _users(part.name, original):
                patches.enter_context(mock.patch.object(user, part.name, stand_in))
        yield parts


def _users(name: str, function: object) -> list[ModuleType]:
    """Return the library's modules that call a function by a name of their own; compiled code cannot be measured."""
    return [
        module
        for path, module in list(sys.modules.items())
        if path.startswith("fuzzyjoin.")
        and not path.startswith("fuzzyjoin.kernels")
        and vars(module).get(name) is function
    ]


def machine_rates(tasks: Sequence[Task]) -> dict[str, float]:
    """Return what this machine does at best with the same texts, and with plain memory."""
    titles = [text.lower() for task in tasks for text in task.reference[task.columns[0]].dropna()]
    random = np.random.default_rng(SEED)
    left = np.array(titles, dtype=object)[random.integers(0, len(titles), PAIRS // CANDIDATES)].repeat(CANDIDATES)
    right = np.array(titles, dtype=object)[random.integers(0, len(titles), PAIRS)]
    rates = {}
    for name, scorer in SCORERS.items():
        spent = _best_seconds(partial(cpdist, left, right, scorer=scorer, dtype=np.float64))
        rates[f"rapidfuzz cpdist, {name} (million pairs/s a core)"] = PAIRS / spent / 1e6
        rows = right[:SIDE]
        spent = _best_seconds(partial(cdist, rows, rows, scorer=scorer, dtype=np.float64))
        rates[f"rapidfuzz cdist, {name} (million pairs/s a core)"] = rows.size**2 / spent / 1e6
    source = np.ones(COPIED_BYTES, np.uint8)
    target = np.zeros_like(source)
    for threads in (1, 2):
        cuts = np.linspace(0, COPIED_BYTES, threads + 1).astype(np.int64)
        slices = [slice(*cut) for cut in itertools.pairwise(cuts)]
        with ThreadPoolExecutor(threads) as pool:
            spent = _best_seconds(partial(_copy_slices, pool, source, target, slices))
        rates[f"memory copy, {threads} thread(s) (GB/s read and written)"] = 2 * COPIED_BYTES / spent / 1e9
    return rates


def _copy_slices(pool: ThreadPoolExecutor, source: np.ndarray, target: np.ndarray, slices: list[slice]) -> None:
    list(pool.map(lambda where: np.copyto(target[where], source[where]), slices))


def _best_seconds(action: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return min(once() for _ in range(ATTEMPTS))


def _distances_read(given: tuple[Any, ...], _: object) -> tuple[int, int]:
    return given[0].size, given[0].nbytes


def _top_k_work(given: tuple[Any, ...], _: object) -> tuple[int, int]:
    """Return the list entries of all tokens and their bytes; bounds spare some of them."""
    rows, indptr, ids, lists = given[:4]
    starts, postings, vocabulary_size = lists.list_starts, lists.postings, lists.weights.size
    tokens = ids[pair_positions(CandidatePairs(indptr, ids), rows)]
    lengths = np.diff(starts).reshape(-1, max(vocabulary_size, 1)).sum(axis=0)
    entries = int(lengths[tokens[tokens < vocabulary_size]].sum())
    return entries, entries * postings.itemsize


def _set_distances_work(given: tuple[Any, ...], result: np.ndarray) -> tuple[int, int]:
    """Return the pairs, and the bytes of reference tokens read and distances written."""
    pairs, rows, references = CandidatePairs(*given[0]), given[1], given[3]
    tokens = int(np.diff(references.indptr)[pairs.reference[pair_positions(pairs, rows)]].sum())
    token_bytes = references.ids.itemsize + references.counts.itemsize
    return result.shape[1], tokens * token_bytes + result.nbytes


def _stage_rows(seconds: Counter[str], pairs: int) -> Iterator[dict[str, Any]]:
    total = sum(seconds.values())
    for stage, spent in seconds.most_common():
        rate = pairs / spent / 1e6 if spent else None
        yield {"stage": stage, "seconds": spent, "share": spent / total, "million_pairs_a_second": rate}


def _part_rows(parts: Sequence[Part], processor: float) -> Iterator[dict[str, Any]]:
    for part in sorted(parts, key=lambda part: -part.cpu_seconds):
        rates: dict[str, float | None] = {"millions_a_second": None, "gigabytes_a_second": None}
        if part.cpu_seconds:
            rates["millions_a_second"] = part.units / part.cpu_seconds / 1e6
            rates["gigabytes_a_second"] = part.touched_bytes / part.cpu_seconds / 1e9 if part.touched_bytes else None
        yield {
            "part": part.label,
            "calls": part.calls,
            "cpu_seconds": part.cpu_seconds,
            "share": part.cpu_seconds / processor,
            "millions": part.units / 1e6,
            "unit": part.unit,
            **rates,
        }
    rest = processor - sum(part.cpu_seconds for part in parts)
    yield {"part": "all else", "cpu_seconds": rest, "share": rest / processor}


if __name__ == "__main__":
    command(main)
