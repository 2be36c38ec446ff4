"""Candidate pairs found beforehand: the same results, a file that survives, and no mixing up of tables."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuzzyjoin import BlockedPairs, DataError, UsageError, block_tables, learn_program
from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.blocking.blocked_pairs import _rows

REFERENCE = pd.DataFrame(
    {
        "id": [f"r{place}" for place in range(40)],
        "name": [f"Town {place} of the {place % 7} hills" for place in range(40)],
    }
)
QUERY = pd.DataFrame(
    {"id": [f"q{place}" for place in range(12)], "name": [f"town {place} of {place % 7} hills" for place in range(12)]}
)


@pytest.fixture(params=["auto", "autofj"])
def method(request):
    return request.param


@pytest.fixture
def pairs(method):
    return block_tables(REFERENCE, QUERY, on="name", method=method)


def test_learning_and_applying_from_pairs_change_nothing(pairs, method):
    program = learn_program(REFERENCE, QUERY, on="name", method=method)
    from_pairs = learn_program(REFERENCE, QUERY, on="name", method=method, pairs=pairs)
    assert from_pairs.to_json() == program.to_json()
    expected = program.apply(REFERENCE, QUERY)
    found = program.apply(REFERENCE, QUERY, pairs=pairs)
    pd.testing.assert_frame_equal(found.matches, expected.matches)
    pd.testing.assert_frame_equal(found.unmatched, expected.unmatched)


def test_pairs_read_back_as_they_were_written(pairs, tmp_path):
    pairs.save(tmp_path / "pairs.parquet")
    again = BlockedPairs.load(tmp_path / "pairs.parquet")
    names = ("reference_fingerprint", "query_fingerprint", "blocker", "k")
    assert [getattr(again, name) for name in names] == [getattr(pairs, name) for name in names]
    for found, expected in ((again.query_pairs, pairs.query_pairs), (again.reference_pairs, pairs.reference_pairs)):
        if expected is None:
            assert found is None
            continue
        np.testing.assert_array_equal(found.indptr, expected.indptr)
        np.testing.assert_array_equal(found.reference, expected.reference)


def test_rows_without_candidates_survive_the_file(tmp_path):
    query = pd.DataFrame({"id": ["a", "b", "c"], "name": ["###", "town 1", "###"]})
    pairs = block_tables(REFERENCE, query, on="name")
    pairs.save(tmp_path / "pairs.parquet")
    again = BlockedPairs.load(tmp_path / "pairs.parquet").query_pairs
    np.testing.assert_array_equal(np.diff(again.indptr), np.diff(pairs.query_pairs.indptr))
    assert (np.diff(again.indptr) == 0).sum() == 2


def test_the_order_of_rows_does_not_enter(pairs, method):
    again = block_tables(REFERENCE[::-1], QUERY[::-1], on="name", method=method)
    assert again.reference_fingerprint == pairs.reference_fingerprint
    np.testing.assert_array_equal(_rows(again.query_pairs), _rows(pairs.query_pairs))
    np.testing.assert_array_equal(again.query_pairs.reference, pairs.query_pairs.reference)


@pytest.mark.parametrize("role", ["reference", "query"])
def test_pairs_of_another_table_are_refused(pairs, method, role):
    tables = {"reference": REFERENCE, "query": QUERY}
    tables[role] = tables[role].assign(name=tables[role]["name"] + "!")
    with pytest.raises(UsageError, match=f"pairs were blocked on another {role} table"):
        learn_program(**tables, on="name", method=method, pairs=pairs)


def test_pairs_of_another_method_are_refused(pairs, method):
    other = "autofj" if method == "auto" else "auto"
    with pytest.raises(UsageError, match="call block_tables with the same method and space"):
        learn_program(REFERENCE, QUERY, on="name", method=other, pairs=pairs)


def test_pairs_of_another_k_are_refused(pairs, method):
    program = learn_program(REFERENCE, QUERY, on="name", method=method)
    narrow = program.model_copy(
        update={
            "definition": program.definition.model_copy(
                update={"blocking": program.definition.blocking.model_copy(update={"k": 2})}
            )
        }
    )
    with pytest.raises(UsageError, match=r"2 a row of .* are wanted"):
        narrow.apply(REFERENCE, QUERY, pairs=pairs)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "pairs.parquet"
    QUERY.to_parquet(path)
    with pytest.raises(DataError, match="cannot be read as candidate pairs"):
        BlockedPairs.load(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as candidate pairs"):
        BlockedPairs.load(path)


def rewritten(pairs, path, columns=None, about=None):
    """Save pairs, and change what stands in the file."""
    pairs.save(path)
    table = pq.read_table(path)
    content = {name: table[name].to_numpy().copy() for name in table.column_names}
    said = json.loads(table.schema.metadata[b"fuzzyjoin"])
    if columns:
        columns(content)
    if about:
        about(said)
    pq.write_table(pa.table(content).replace_schema_metadata({b"fuzzyjoin": json.dumps(said).encode()}), path)
    return path


def put(name, place, value):
    return lambda content: content[name].__setitem__(place, value)


def swapped(content):
    content["candidate"][[0, 1]] = content["candidate"][[1, 0]]


WRONG_COLUMNS = {
    "negative candidate": (put("candidate", 0, -1), "candidates are positions from -1"),
    "candidate twice": (lambda content: put("candidate", 1, content["candidate"][0])(content), "do not ascend"),
    "candidates that descend": (swapped, "the candidates of a row do not ascend"),
    "row past the end": (put("row", -1, 10**6), "names row 1000000 of the"),
    "row before the start": (put("row", 0, -5), "names row"),
    "rows that descend": (put("row", 0, 1), "do not ascend"),
    "another table": (put("table", 0, 7), "a pair is of table 7"),
    "another type": (lambda content: content.update(row=content["row"].astype(np.float64)), "or of other types"),
    "no candidates": (lambda content: content.pop("candidate"), "its columns are"),
}


@pytest.mark.parametrize("wrong", WRONG_COLUMNS)
def test_pairs_that_lead_out_of_the_tables_are_refused(pairs, tmp_path, wrong):
    change, message = WRONG_COLUMNS[wrong]
    path = rewritten(pairs, tmp_path / "pairs.parquet", columns=change)
    with pytest.raises(DataError, match=rf"cannot be read as candidate pairs: .*{message}.*; block the tables again"):
        BlockedPairs.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [2**40]},
        {"rows": [-1]},
        {"rows": ["12"]},
        {"rows": []},
        {"rows": 12},
        {"k": 0},
        {"k": 1},
        {"k": None},
        {"blocker": "none"},
        {"query_fingerprint": None},
    ],
    ids=str,
)
def test_what_a_file_says_of_its_pairs_is_checked(pairs, tmp_path, change):
    path = rewritten(pairs, tmp_path / "pairs.parquet", about=lambda said: said.update(change))
    with pytest.raises(DataError, match="cannot be read as candidate pairs"):
        BlockedPairs.load(path)


def test_candidates_that_the_reference_table_does_not_have_are_refused_before_they_are_compared(pairs, method):
    last = pairs.query_pairs.indptr[1] - 1
    beyond = pairs.query_pairs.reference.copy()
    beyond[last] = len(REFERENCE)
    damaged = replace(pairs, query_pairs=CandidatePairs(pairs.query_pairs.indptr, beyond))
    message = r"pairs: candidates are positions from 0 to 40, but the reference table has 40 rows; block the tables"
    program = learn_program(REFERENCE, QUERY, on="name", method=method)
    with pytest.raises(DataError, match=message):
        program.apply(REFERENCE, QUERY, pairs=damaged)
    with pytest.raises(DataError, match=message):
        learn_program(REFERENCE, QUERY, on="name", method=method, pairs=damaged)


def test_pairs_of_fewer_rows_are_refused(pairs, method):
    fewer = replace(pairs, query_pairs=pairs.query_pairs.of_rows(np.arange(5)))
    with pytest.raises(DataError, match="pairs: there are pairs of 5 rows, expected 12; block the tables again"):
        learn_program(REFERENCE, QUERY, on="name", method=method, pairs=fewer)


MANGLING = """
import random, sys, tempfile
from pathlib import Path
from fuzzyjoin import BlockedPairs, DataError, block_tables, learn_program
from tests.blocking.test_blocked_pairs import QUERY, REFERENCE, rewritten
draw, refused, method = random.Random(3), 0, sys.argv[1]
pairs = block_tables(REFERENCE, QUERY, on="name", method=method)
program = learn_program(REFERENCE, QUERY, on="name", method=method)

def mangle(content):
    for _ in range(draw.choice([1, 1, 3, 30])):
        array = content[draw.choice(["candidate", "candidate", "row", "table"])]
        value = draw.choice([-1, 0, 1, 39, 40, 127, int(array[draw.randrange(array.size)])])
        array[draw.randrange(array.size)] = value

for _ in range(60):
    with tempfile.TemporaryDirectory() as folder:
        path = rewritten(pairs, Path(folder) / "pairs.parquet", columns=mangle)
        content = bytearray(path.read_bytes())
        if draw.random() < 0.3:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        try:
            found = BlockedPairs.load(path)
            print("joined", flush=True)
            program.apply(REFERENCE, QUERY, pairs=found)
            learn_program(REFERENCE, QUERY, on="name", method=method, pairs=found)
        except DataError:
            refused += 1
print(refused)
"""


@pytest.mark.slow
def test_no_mangled_pairs_crash_the_process(method):
    run = subprocess.run([sys.executable, "-c", MANGLING, method], capture_output=True, text=True, check=False)
    assert run.returncode == 0, (run.returncode, run.stdout[-200:], run.stderr[-2000:])
    assert int(run.stdout.split()[-1]) > 30
