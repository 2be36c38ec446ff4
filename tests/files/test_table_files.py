"""Reading and writing of table files."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import errno
import gzip
import io
import stat
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
from fuzzyjoin.files import (
    Layout,
    Output,
    check_outputs,
    found_layout,
    layout_note,
    read_table,
    table_batches,
    write_all,
)
from fuzzyjoin.files.table_files import row_name, write_table

TEXT_ENDINGS = [".csv", ".tsv", ".csv.gz", ".tsv.gz"]
ENDINGS = [*TEXT_ENDINGS, ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet", ".xlsx"]


def cells(frame):
    """A frame's cells row by row, None where one is missing."""
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


def write_text(path, text, encoding="utf-8"):
    """Write text as it stands to a file, packed if its ending says so."""
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def note(path):
    return layout_note(path, Layout(), found_layout(path))


def error_of(path):
    with pytest.raises(FuzzyJoinError) as caught:
        read_table(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize("ending", ENDINGS)
class TestEveryFormat:
    FRAME = pd.DataFrame(
        {
            "id": ["007", "1e5", "1.0", "9"],
            "name": ["NA", "null", None, "nan"],
            "note": ['say "hi", twice', "two\nlines", "tab\there", "東京 Ærø नमस्ते"],
        }
    )

    def test_what_is_written_is_read_back(self, tmp_path, ending):
        path = tmp_path / f"table{ending}"
        write_table(self.FRAME, path)
        back = read_table(path)
        assert list(back.columns) == ["id", "name", "note"]
        assert cells(back) == cells(self.FRAME)

    def test_every_column_is_text(self, tmp_path, ending):
        path = tmp_path / f"table{ending}"
        write_table(pd.DataFrame({"id": [1, 2], "price": [1.5, None], "empty": [None, None]}), path)
        frame = read_table(path)
        assert cells(frame) == [["1", "1.5", None], ["2", None, None]]
        assert {str(kind) for kind in frame.dtypes} == {"str"}

    def test_the_ending_may_be_in_capitals(self, tmp_path, ending):
        path = tmp_path / f"TABLE{ending.upper()}"
        write_table(self.FRAME, path)
        assert cells(read_table(path)) == cells(self.FRAME)

    def test_equal_tables_give_equal_bytes(self, tmp_path, ending):
        first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending}"
        write_table(self.FRAME, first)
        write_table(self.FRAME.copy(), second)
        assert first.read_bytes() == second.read_bytes()

    def test_a_table_without_rows_keeps_its_columns(self, tmp_path, ending):
        path = tmp_path / f"table{ending}"
        write_table(self.FRAME[:0], path)
        if "json" in ending:
            # They name their columns in the rows.
            assert "is empty" in str(error_of(path))
            return
        back = read_table(path)
        assert list(back.columns) == ["id", "name", "note"]
        assert len(back) == 0

    def test_writing_leaves_no_other_file(self, tmp_path, ending):
        path = tmp_path / f"table{ending}"
        write_table(self.FRAME, path)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_missing_file_is_a_usage_error(self, tmp_path, ending):
        error = error_of(tmp_path / f"absent{ending}")
        assert isinstance(error, UsageError)
        assert "no such file" in str(error)

    def test_a_folder_is_a_usage_error(self, tmp_path, ending):
        path = tmp_path / f"folder{ending}"
        path.mkdir()
        error = error_of(path)
        assert isinstance(error, UsageError)
        assert "folder" in str(error)

    def test_an_empty_file_is_an_error(self, tmp_path, ending):
        path = tmp_path / f"empty{ending}"
        path.write_bytes(b"")
        assert isinstance(error_of(path), DataError)

    def test_bytes_that_mean_nothing_are_an_error(self, tmp_path, ending):
        path = tmp_path / f"random{ending}"
        path.write_bytes(bytes(range(255, 127, -1)) * 50)
        assert isinstance(error_of(path), DataError)

    def test_a_file_cut_short_is_an_error(self, tmp_path, ending):
        path = tmp_path / f"cut{ending}"
        write_table(pd.DataFrame({"id": [str(row) for row in range(500)], "note": ["a", 'b "'] * 250}), path)
        data = path.read_bytes()
        packed = ending in {".parquet", ".xlsx"} or ending.endswith(".gz")
        path.write_bytes(data[: len(data) // 2 - 1] if packed else data[:-2])
        assert isinstance(error_of(path), DataError)


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12) | st.text(alphabet='a,\t"\n\r \0;', max_size=6)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".jsonl", ".xlsx"])
@given(rows=st.lists(st.tuples(TEXT, TEXT | st.none(), TEXT), min_size=1, max_size=8))
def test_any_text_survives_writing_and_reading(tmp_path_factory, ending, rows):
    path = tmp_path_factory.getbasetemp() / f"property{ending}"
    # Missing and the empty text are one, so a row is kept recognisable by a first cell that is never empty.
    frame = pd.DataFrame([(f"x{first}", second, third) for first, second, third in rows], columns=["a", "b", "c"])
    write_table(frame, path)
    assert cells(read_table(path)) == [[cell or None for cell in row] for row in cells(frame)]


@given(
    st.lists(st.sampled_from(["a", "b,c", '"', '""', '"x', "\n", "\r\n", "\n\n", ",", "é"]), max_size=14).map("".join)
)
def test_reading_agrees_with_the_plain_reader_line_by_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "twin.csv"
    path.write_bytes(("p,q\n" + text).encode())
    try:
        plain = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        plain = None
    if plain is None or any(len(row) != 2 for row in plain):
        assert "line " in str(error_of(path))
    else:
        frame = read_table(path)
        assert cells(frame) == [[cell or None for cell in row] for row in plain]
        physical = text.replace("\r\n", "\n").count("\n") + 2
        assert all(2 <= int(row_name(path, row).removeprefix("line ")) <= physical for row in range(len(frame)))


class TestText:
    @pytest.mark.parametrize("ending", TEXT_ENDINGS)
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_line_ends_and_byte_order_marks_do_not_matter(self, tmp_path, ending, line_end, encoding):
        separator = "," if "csv" in ending else "\t"
        lines = [separator.join(cells) for cells in (["id", "name"], ["01", '"Å"'], ["02", ""])]
        path = write_text(tmp_path / f"table{ending}", line_end.join(lines), encoding)
        frame = read_table(path)
        assert list(frame.columns) == ["id", "name"]
        assert cells(frame) == [["01", "Å"], ["02", None]]

    def test_blank_lines_are_no_rows_but_count_as_lines(self, tmp_path):
        path = write_text(tmp_path / "table.csv", '\nid,name\n\n1,a\n\n2,"b\n\nb"\n3,c\n\n')
        assert cells(read_table(path)) == [["1", "a"], ["2", "b\n\nb"], ["3", "c"]]
        assert [row_name(path, row) for row in range(3)] == ["line 4", "line 6", "line 9"]

    def test_a_quote_inside_an_unquoted_cell_is_text(self, tmp_path):
        path = write_text(tmp_path / "table.csv", 'id,name\n1,5" pipe\n')
        assert cells(read_table(path)) == [["1", '5" pipe']]

    def test_columns_without_a_name_are_called_by_position(self, tmp_path):
        path = write_text(tmp_path / "table.csv", ",name,\n0,a,\n")
        frame = read_table(path)
        assert list(frame.columns) == ["column 1", "name", "column 3"]
        assert cells(frame) == [["0", "a", None]]

    def test_a_very_long_cell_is_read_whole(self, tmp_path):
        path = write_text(tmp_path / "table.csv", f"id,name\n1,{'x' * 300_000}\n")
        limit = csv.field_size_limit()
        assert len(read_table(path)["name"][0]) == 300_000
        assert csv.field_size_limit() == limit

    def test_interleaved_readers_and_the_limit_of_the_process_do_not_disturb_each_other(self, tmp_path):
        long = "x" * 300_000
        path = write_text(tmp_path / "table.csv", "id,name\n" + f"1,{long}\n" * 4)
        before = csv.field_size_limit()
        try:
            first, second = table_batches(path, 1), table_batches(path, 1)
            for reader in (first, second, first):
                next(reader)
            # The second reader ends first, and somebody else narrows the limit meanwhile.
            assert len(list(second)) == 4
            csv.field_size_limit(10)
            assert [len(piece["name"][0]) for piece in first] == [300_000] * 3
            assert csv.field_size_limit() == 10
        finally:
            csv.field_size_limit(before)

    def test_rows_beyond_one_batch_are_all_read_in_order(self, tmp_path):
        ids = [str(row) for row in range(140_000)]
        path = write_text(tmp_path / "table.csv", "id,name\n" + "\n".join(f"{i},n{i}" for i in ids) + "\n")
        frame = read_table(path)
        assert frame["id"].tolist() == ids
        assert row_name(path, 139_999) == "line 140001"

    @pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("id,name\n1,a\n2\n", "line 3 has 1 cell where the header has 2"),
            ("id,name\n1,a\n2,b,c\n", "line 3 has 3 cells where the header has 2"),
            ('id,name\n1,"a\na"\n2\n', "line 4 has 1 cell"),
            ('id,name\n1,a\n2,"b\n3,c\n', 'line 3: a double quote (") is opened that the file never closes'),
            ('id,name\n1,"a" b\n', "line 2: text follows a closing double quote"),
            ('id,name\n1,"a\n2,"b"\n', "line 3: text follows a closing double quote"),
            ("id,name,name\n1,a,b\n", "line 1: the header has the column name 'name' 2 times (columns 2, 3)"),
            ("\n\n", "is empty"),
            ("i\0d\0,\0n\0\n\0", "UTF-16"),
        ],
    )
    def test_bad_text_is_an_error_that_names_the_line(self, tmp_path, ending, text, expected):
        error = error_of(write_text(tmp_path / f"bad{ending}", text))
        assert isinstance(error, DataError)
        assert expected in str(error)

    def test_a_bad_line_after_many_good_ones_is_named(self, tmp_path):
        path = write_text(tmp_path / "bad.csv", "id,name\n" + "1,a\n" * 100_000 + "2\n" + "3,c\n" * 9)
        assert "line 100002 has 1 cell" in str(error_of(path))

    def test_text_that_is_not_packed_is_not_gzip(self, tmp_path):
        path = tmp_path / "bad.csv.gz"
        path.write_text("id,name\n1,a\n")
        assert "is not a complete gzip file" in str(error_of(path))

    @pytest.mark.parametrize("name", ["table.xls", "table", "table.csv.zip", "table.json", "csv"])
    def test_an_unknown_ending_is_a_usage_error(self, tmp_path, name):
        path = tmp_path / name
        path.write_text("id,name\n1,a\n")
        error = error_of(path)
        assert isinstance(error, UsageError)
        assert ".parquet" in str(error)


class TestSeparators:
    """A file that is surely parted by another separator than its ending says is read by that one."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    @pytest.mark.parametrize(
        ("ending", "separator", "said"),
        [
            (".csv", ";", "';'"),
            (".csv.gz", ";", "';'"),
            (".csv", "\t", "a tab"),
            (".csv", "|", "'|'"),
            (".tsv", ";", "';'"),
        ],
    )
    def test_another_separator_is_seen_and_told(self, tmp_path, ending, separator, said, encoding):
        lines = [["id", "name"], ["1", "Lake, Hill & Co"], ["2", f'"a{separator}b"'], ["3", ""]]
        text = "\r\n".join(separator.join(line) for line in lines)
        path = write_text(tmp_path / f"table{ending}", text, encoding)
        frame = read_table(path)
        assert list(frame.columns) == ["id", "name"]
        assert cells(frame) == [["1", "Lake, Hill & Co"], ["2", f"a{separator}b"], ["3", None]]
        assert [row_name(path, row) for row in range(3)] == ["line 2", "line 3", "line 4"]
        assert note(path) == f"{path}: read with {said} between fields"

    def test_quoted_cells_and_decimal_commas_are_read(self, tmp_path):
        path = write_text(tmp_path / "table.csv", '"id";"name";"price"\n"1";"a ""b"", c";"1,50"\n')
        assert cells(read_table(path)) == [["1", 'a "b", c', "1,50"]]

    def test_a_header_alone_is_enough(self, tmp_path):
        assert list(read_table(write_text(tmp_path / "table.csv", "id;name\n")).columns) == ["id", "name"]

    @pytest.mark.parametrize(
        "text",
        [
            "name\nLake; Hill\nPeak\n",
            "id,name; alias\n1,a; b\n",
            '"id, no"\n"1;2"\n',
            "names; all of them\nLake\n",
        ],
    )
    def test_where_commas_fit_they_stay(self, tmp_path, text):
        path = write_text(tmp_path / "table.csv", text)
        assert cells(read_table(path)) == [
            [cell or None for cell in row] for row in list(csv.reader(io.StringIO(text)))[1:]
        ]
        assert note(path) is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("id;name\n1;Lake, Hill\n2;a;b\n", "separated by semicolons; line 3 has 3 cells where the header has 2"),
            ('id;name\n1;"Lake, Hill\n', "separated by semicolons; line 2: a double quote"),
            ("id;name\n" + "1;a\n" * 200 + "2;a;b\n", "line 202 has 3 cells where the header has 2; give every"),
        ],
    )
    def test_a_fault_is_told_by_the_separator_that_the_file_has(self, tmp_path, text, expected):
        message = str(error_of(write_text(tmp_path / "table.csv", text)))
        assert expected in message
        assert "','" not in message


class TestParquet:
    @pytest.mark.parametrize(
        ("values", "kind", "expected"),
        [
            ([1, None, -3], pa.int64(), ["1", None, "-3"]),
            ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
            ([1.0, 2.5, float("nan"), None], pa.float64(), ["1", "2.5", None, None]),
            ([1e15, 1e20, -0.0, float("inf")], pa.float64(), ["1000000000000000", "1e+20", "0", "inf"]),
            ([0.1, 7.0], pa.float32(), ["0.1", "7"]),
            ([True, False], pa.bool_(), ["true", "false"]),
            ([decimal.Decimal("1.50")], pa.decimal128(5, 2), ["1.50"]),
            ([dt.date(2024, 1, 31)], pa.date32(), ["2024-01-31"]),
            (
                [dt.datetime(2024, 1, 31), dt.datetime(2024, 1, 31, 4, 5, 6, 700_000)],  # noqa: DTZ001
                pa.timestamp("us"),
                ["2024-01-31", "2024-01-31 04:05:06.7"],
            ),
            (
                [dt.datetime(2024, 1, 31, tzinfo=dt.UTC)],
                pa.timestamp("ns", "UTC"),
                ["2024-01-31 00:00:00Z"],
            ),
            ([dt.time(10, 20)], pa.time64("us"), ["10:20:00"]),
            (["a", None, "", "NA"], pa.string(), ["a", None, None, "NA"]),
            (["a", "b", None], pa.dictionary(pa.int32(), pa.string()), ["a", "b", None]),
            ([b"caf\xc3\xa9"], pa.binary(), ["café"]),
            ([None, None], pa.null(), [None, None]),
        ],
    )
    def test_values_are_written_as_they_would_be_in_csv(self, tmp_path, values, kind, expected):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({"value": pa.array(values, kind)}), path)
        assert cells(read_table(path)) == [[value] for value in expected]

    @pytest.mark.parametrize(
        "column",
        [
            pa.array([["a"], ["b"]]),
            pa.array([{"x": 1}, {"x": 2}]),
            pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        ],
        ids=["list", "struct", "map"],
    )
    def test_a_nested_column_is_an_error_that_names_it(self, tmp_path, column):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({"id": ["1", "2"], "tags": column}), path)
        error = error_of(path)
        assert isinstance(error, DataError)
        assert "column 'tags' is nested" in str(error)

    def test_bytes_that_are_no_text_are_an_error_that_names_the_column(self, tmp_path):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({"id": ["1"], "picture": pa.array([b"\xff\xd8"], pa.binary())}), path)
        assert "column 'picture' has the type binary" in str(error_of(path))

    def test_two_columns_of_one_name_are_an_error(self, tmp_path):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table([pa.array(["1"]), pa.array(["2"])], names=["id", "id"]), path)
        assert "'id' appears twice" in str(error_of(path))

    def test_an_index_that_pandas_stored_becomes_a_column(self, tmp_path):
        path = tmp_path / "table.parquet"
        pd.DataFrame({"name": ["a"]}, index=pd.Index(["k"], name="key")).to_parquet(path)
        assert cells(read_table(path)[["key", "name"]]) == [["k", "a"]]

    def test_folders_named_like_partitions_add_no_column(self, tmp_path):
        folder = tmp_path / "year=2024"
        folder.mkdir()
        pq.write_table(pa.table({"id": ["1"]}), folder / "table.parquet")
        assert list(read_table(folder / "table.parquet").columns) == ["id"]

    def test_rows_are_counted_from_one(self, tmp_path):
        assert row_name(tmp_path / "table.parquet", 0) == "row 1"


class TestOutputs:
    def put(self, text):
        return lambda path: path.write_text(text)

    def fail(self, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    def test_when_one_of_several_fails_none_changes(self, tmp_path):
        old, new = tmp_path / "old", tmp_path / "new"
        old.write_text("before")
        outputs = [Output(old, self.put("after")), Output(new, self.put("after")), Output(tmp_path / "bad", self.fail)]
        with pytest.raises(DataError, match="bad: cannot be written"):
            write_all(outputs)
        assert old.read_text() == "before"
        assert list(tmp_path.iterdir()) == [old]

    def test_when_the_last_cannot_be_put_in_place_the_others_are_put_back(self, tmp_path):
        old, new, blocked = tmp_path / "old", tmp_path / "new", tmp_path / "blocked"
        old.write_text("before")

        def block(path):
            path.write_text("after")
            blocked.mkdir()

        with pytest.raises(DataError, match="blocked: cannot be written"):
            write_all([Output(old, self.put("after")), Output(new, self.put("after")), Output(blocked, block)])
        assert old.read_text() == "before"
        assert sorted(tmp_path.iterdir()) == [blocked, old]

    def test_what_cannot_be_put_back_is_told_beside_the_cause_and_its_copy_is_kept(self, tmp_path, monkeypatch):
        old, blocked = tmp_path / "old", tmp_path / "blocked"
        old.write_text("before")
        replace = Path.replace

        def block(path):
            path.write_text("after")
            blocked.mkdir()

        def once(path, target):
            if target == old and old.read_text() == "after":
                raise OSError(errno.EIO, "Input/output error")
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", once)
        with pytest.raises(DataError) as caught:
            write_all([Output(old, self.put("after")), Output(blocked, block)])
        (copy,) = set(tmp_path.iterdir()) - {old, blocked}
        assert copy.read_text() == "before"
        assert str(caught.value).startswith(f"{blocked}: cannot be written (Is a directory)")
        assert str(caught.value).endswith(
            f". But {old} could not be put back; what it held before is in {copy} (Input/output error)"
        )

    def test_all_are_written(self, tmp_path):
        paths = [tmp_path / name for name in ("one", "two")]
        paths[0].write_text("before")
        write_all([Output(path, self.put(path.name)) for path in paths])
        assert [path.read_text() for path in paths] == ["one", "two"]
        assert sorted(tmp_path.iterdir()) == paths

    def test_permissions_of_a_replaced_file_are_kept(self, tmp_path):
        path = tmp_path / "shared"
        path.write_text("before")
        path.chmod(0o664)
        write_all([Output(path, self.put("after"))])
        assert stat.S_IMODE(path.stat().st_mode) == 0o664

    def test_a_link_is_followed(self, tmp_path):
        real, link = tmp_path / "real", tmp_path / "link"
        real.write_text("before")
        link.symlink_to(real)
        write_all([Output(link, self.put("after"))])
        assert link.is_symlink()
        assert real.read_text() == "after"

    def test_good_outputs_pass_and_leave_nothing_behind(self, tmp_path):
        there = tmp_path / "there.csv"
        there.write_text("before")
        check_outputs([there, tmp_path / "new.csv"], inputs=[tmp_path / "input.csv"])
        assert there.read_text() == "before"
        assert list(tmp_path.iterdir()) == [there]

    @pytest.mark.parametrize("link", ["same", "symbolic", "hard", "dotted"])
    def test_an_input_is_not_overwritten(self, tmp_path, link):
        source = tmp_path / "input.csv"
        source.write_text("id\n")
        output = tmp_path / "link.csv"
        if link == "same":
            output = source
        elif link == "symbolic":
            output.symlink_to(source)
        elif link == "hard":
            output.hardlink_to(source)
        else:
            output = tmp_path / "sub" / ".." / "input.csv"
            (tmp_path / "sub").mkdir()
        with pytest.raises(UsageError, match="is an input as well"):
            check_outputs([output], inputs=[source])

    def test_two_outputs_need_two_names(self, tmp_path):
        with pytest.raises(UsageError, match="two outputs"):
            check_outputs([tmp_path / "a.csv", tmp_path / "a.csv"], inputs=[])

    def test_the_folder_must_exist(self, tmp_path):
        with pytest.raises(UsageError, match="absent' does not exist"):
            check_outputs([tmp_path / "absent" / "a.csv"], inputs=[])

    def test_a_folder_is_no_output(self, tmp_path):
        with pytest.raises(UsageError, match="is a folder"):
            check_outputs([tmp_path], inputs=[])

    def test_a_device_is_not_replaced_by_a_file(self):
        with pytest.raises(UsageError, match="is not a regular file"):
            check_outputs([Path("/dev/null")], inputs=[])

    def test_a_folder_in_which_no_file_can_be_made_is_named(self):
        with pytest.raises(UsageError, match="no file can be made in the folder '/proc'"):
            check_outputs([Path("/proc/matches.csv")], inputs=[])
