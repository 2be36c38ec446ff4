"""Excel workbooks in and out; a second library writes what is read, and opens what is written."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import Layout, format_of, found_layout, layout_note, pieces_output, read_table, write_all
from fuzzyjoin.files import excel as excel_files
from fuzzyjoin.files.table_files import row_name, write_table


def put(folder, *sheets, name="book.xlsx"):
    """Write a workbook of the given (name, rows) sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / name
    book.save(path)
    return path


def cells(frame):
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]


class TestReading:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (1, "1"),
            (1.0, "1"),
            (1997.5, "1997.5"),
            (0.1 + 0.2, "0.3"),
            (4006381333931, "4006381333931"),
            ("007", "007"),
            (True, "true"),
            (dt.date(2024, 1, 31), "2024-01-31"),
            (dt.datetime(2024, 1, 31, 4, 5, 6), "2024-01-31 04:05:06"),  # noqa: DTZ001 - Excel knows no zones
            (dt.time(10, 20), "10:20:00"),
            (dt.timedelta(hours=30, minutes=5), "30:05:00"),
            ("N/A", "N/A"),
            (None, None),
        ],
    )
    def test_a_value_reads_as_a_person_sees_it(self, tmp_path, value, text):
        path = put(tmp_path, ("Sheet1", [["id", "value"], ["a", value]]))
        assert cells(read_table(path)) == [["a", text]]

    def test_empty_rows_are_no_rows_but_count_as_the_sheet_counts(self, tmp_path):
        rows = [[], [None, "id", "name", None], [], [None, 1, "a", None], [], [None, 2, None, None]]
        path = put(tmp_path, ("Sheet1", rows))
        assert list(read_table(path).columns) == ["id", "name"]
        assert cells(read_table(path)) == [["1", "a"], ["2", None]]
        assert [row_name(path, row) for row in range(2)] == ["row 4", "row 6"]

    def test_the_first_sheet_that_holds_anything_is_read_and_others_are_told(self, tmp_path):
        customers, old = ("Customers", [["id"], [1]]), ("Old", [["id"], [2]])
        path = put(tmp_path, ("Cover", []), customers, old)
        found = found_layout(path)
        assert cells(read_table(path)) == cells(read_table(path, found)) == [["1"]]
        assert layout_note(path, Layout(), found) == f"{path}: read from the sheet 'Customers'; not from 'Old'"
        asked = Layout(sheet="Old")
        assert cells(read_table(path, asked)) == [["2"]]
        assert layout_note(path, asked, found_layout(path, asked)) is None

    def test_one_sheet_is_nothing_to_tell(self, tmp_path):
        path = put(tmp_path, ("Customers", [["id"], [1]]), ("Empty", []))
        assert layout_note(path, Layout(), found_layout(path)) is None

    def test_another_sheet_is_a_usage_error_that_names_those_there_are(self, tmp_path):
        path = put(tmp_path, ("Customers", [["id"], [1]]), ("Old", []))
        with pytest.raises(UsageError, match="has no sheet 'customers'; its sheets are 'Customers', 'Old'"):
            read_table(path, Layout(sheet="customers"))
        with pytest.raises(DataError, match="the sheet 'Old' is empty"):
            read_table(path, Layout(sheet="Old"))

    def test_a_column_name_twice_is_refused_with_its_row(self, tmp_path):
        with pytest.raises(DataError, match="row 2: the header has the column name 'id' 2 times"):
            read_table(put(tmp_path, ("Sheet1", [[], ["id", "id"], [1, 2]])))

    def test_a_workbook_without_cells_is_empty(self, tmp_path):
        with pytest.raises(DataError, match="is empty"):
            read_table(put(tmp_path, ("Sheet1", [])))


class TestWriting:
    TABLE = pa.table(
        {
            "id": pa.array([1, 2]),
            "share": pa.array([0.25, float("nan")]),
            "sold": pa.array([True, None]),
            "day": pa.array([dt.date(2024, 1, 31), dt.date(1850, 1, 1)]),
            "at": pa.array([dt.datetime(2024, 1, 31, 4, 5, 6), None]),  # noqa: DTZ001 - Excel knows no zones
            "name": pa.array(["=1+1", "https://example.org"]),
            "code": pa.array(["007", "12"]),
            "long": pa.array([2**60, None]),
        }
    )

    def write(self, path, *pieces):
        write_all([pieces_output(lambda: pieces, path)])
        return path

    def test_another_library_finds_the_types(self, tmp_path):
        book = openpyxl.load_workbook(self.write(tmp_path / "book.xlsx", self.TABLE))
        header, first, second = book.active.iter_rows(values_only=True)
        assert header == tuple(self.TABLE.column_names)
        day, at = (dt.datetime(2024, 1, 31, *time) for time in ((), (4, 5, 6)))  # noqa: DTZ001 - as above
        assert first == (1, 0.25, True, day, at, "=1+1", "007", str(2**60))
        assert second == (2, None, None, "1850-01-01", None, "https://example.org", "12", None)
        assert book.active["F2"].data_type == "s"
        assert book.active["D2"].number_format == "yyyy-mm-dd"

    def test_pieces_and_time_do_not_show(self, tmp_path):
        whole = self.write(tmp_path / "whole.xlsx", self.TABLE)
        parted = self.write(tmp_path / "parted.xlsx", self.TABLE[:1], self.TABLE[1:])
        assert whole.read_bytes() == parted.read_bytes()

    def test_more_rows_than_a_sheet_holds_are_refused_and_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(excel_files, "_MOST_ROWS", 3)
        self.write(tmp_path / "fits.xlsx", self.TABLE)
        with pytest.raises(DataError, match=r"book.xlsx: has 4 rows .* a sheet of Excel holds 3 rows .* write .csv"):
            self.write(tmp_path / "book.xlsx", self.TABLE, self.TABLE[:1])
        assert [path.name for path in tmp_path.iterdir()] == ["fits.xlsx"]

    def test_the_limit_is_that_of_excel(self, tmp_path):
        rows = pa.table({"id": pa.nulls(1_048_576)})
        with pytest.raises(DataError, match=r"1,048,577 rows with the header .* holds 1,048,576 rows"):
            self.write(tmp_path / "book.xlsx", rows)

    def test_a_text_longer_than_a_cell_is_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"row 2 has a text of 32,768 characters; .* write .csv or .parquet"):
            write_table(pd.DataFrame({"note": ["x" * 32_768]}), tmp_path / "book.xlsx")
        assert not list(tmp_path.iterdir())


def test_without_its_packages_excel_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr("fuzzyjoin.files.formats.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"install fuzzyjoin-tables\[excel\], or use another format"):
        format_of("book.xlsx")
    assert format_of("table.csv").separator == ","
