"""JSON lines in and out."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import json

import pandas as pd
import pyarrow as pa
import pytest

from fuzzyjoin.errors import DataError
from fuzzyjoin.files import pieces_output, read_table, table_batches, write_all
from fuzzyjoin.files.table_files import row_name, write_table


def put(folder, text, name="table.jsonl"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def cells(frame):
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


def test_values_read_as_they_are_written(tmp_path):
    path = put(
        tmp_path,
        '{"id": 1, "price": 1.50, "code": "007", "note": "Malm\\u00f6"}\n'
        "\n"
        '{"id": 2.0, "sold": true, "price": 12345678901234567890, "note": null}\n'
        '{"note": "", "price": NaN, "id": -3e2}\n',
    )
    frame = read_table(path)
    assert list(frame.columns) == ["id", "price", "code", "note", "sold"]
    assert cells(frame) == [
        ["1", "1.50", "007", "Malmö", None],
        ["2", "12345678901234567890", None, None, "true"],
        ["-3e2", None, None, None, None],
    ]
    assert [row_name(path, row) for row in range(3)] == ["line 1", "line 3", "line 4"]


@pytest.mark.parametrize("name", ["table.ndjson", "table.jsonl.gz"])
def test_batches_give_the_same_rows(tmp_path, name):
    path = put(tmp_path, "".join(f'{{"id": {row}, "k{row % 2}": "x"}}\n' for row in range(5)), name)
    pieces = list(table_batches(path, 2))
    assert [len(piece) for piece in pieces] == [0, 2, 2, 1]
    assert all(list(piece.columns) == ["id", "k0", "k1"] for piece in pieces)
    assert cells(pd.concat(pieces)) == cells(read_table(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("{}\n", "is empty"),
        ('{"id": 1}\n{"id": 2\n', "line 2: is not JSON"),
        ('[{"id": 1}]\n', "line 1: holds a list; expected one object"),
        ('\n"a"\n', "line 2: holds a single value"),
        ('{"id": 1}\n{"id": 2, "tags": ["a"]}\n', "line 2: the value of 'tags' is a list"),
        ('{"id": {"a": 1}}\n', "line 1: the value of 'id' is an object"),
        ('{"id": 1, "id": 2}\n', "line 1: has the key 'id' twice"),
        ('{"id": ' + "[" * 100_000 + "\n", "line 1: is "),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(tmp_path, text, said):
    path = put(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_another_encoding_is_refused(tmp_path):
    path = tmp_path / "table.jsonl"
    path.write_bytes('{"id": "Malmö"}\n'.encode("cp1252"))
    with pytest.raises(DataError, match="the byte 0xF6 is not UTF-8, as JSON must be; save it as UTF-8"):
        read_table(path)


def test_types_are_kept(tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, None]),
            "share": pa.array([0.1, float("nan")]),
            "sold": pa.array([True, None]),
            "day": pa.array([dt.date(2024, 1, 31), None]),
            "price": pa.array([decimal.Decimal("1.50"), None]),
            "name": pa.array(["Malmö", None]),
        }
    )
    path = tmp_path / "table.jsonl"
    write_all([pieces_output(lambda: [table[:1], table[1:]], path)])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {
        "id": 1, "share": 0.1, "sold": True, "day": "2024-01-31", "price": "1.50", "name": "Malmö",
    }  # fmt: skip
    assert set(json.loads(lines[1]).values()) == {None}
    assert "Malmö" in lines[0]


def test_pieces_do_not_show(tmp_path):
    frame = pd.DataFrame({"id": ["1", "2", "3"], "share": [0.5, None, 1.0]})
    whole, parted = tmp_path / "whole.jsonl", tmp_path / "parted.jsonl"
    write_table(frame, whole)
    table = pa.Table.from_pandas(frame)
    write_all([pieces_output(lambda: (table[row : row + 1] for row in range(3)), parted)])
    assert whole.read_bytes() == parted.read_bytes()
