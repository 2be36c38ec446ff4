"""The sheet's way through spreadsheets and back, and every fault in it told by its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from fuzzyjoin import DataError, UsageError, read_labels
from fuzzyjoin.evaluation import read_sheet, sheet_output
from fuzzyjoin.evaluation.label_sheet import LABELS, values_hash
from fuzzyjoin.files import write_all
from fuzzyjoin.terminal import printable
from tests.cases import any_text
from tests.evaluation.cases import draw


@pytest.fixture(scope="module")
def sample(malls):
    return draw(malls, from_matches=8, from_near_misses=4)


@pytest.fixture
def path(sample, tmp_path):
    """The sheet as it was drawn."""
    write_all([sheet_output(sample.sheet, tmp_path / "sheet.csv")])
    return tmp_path / "sheet.csv"


def cells(path):
    """Header and rows, as any reader of CSV sees them."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def put(path, rows, *, separator=",", encoding="utf-8", ending="\r\n"):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=ending).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def fill(path, labels):
    """Write labels by the order of the rows."""
    rows = cells(path)
    for row, label in zip(rows[1:], labels, strict=True):
        row[3] = label
    put(path, rows)
    return rows


def test_it_opens_as_utf_8_in_a_spreadsheet_and_reads_back(path, sample):
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert cells(path)[1:] == sample.sheet.to_numpy().tolist()
    assert read_labels(path, sample.design).labels == (None,) * 12


@pytest.mark.parametrize(("label", "word"), [(label, word) for label, words in LABELS.items() for word in words])
def test_every_word_for_a_label_is_understood(path, sample, label, word):
    fill(path, [word, word.upper(), f" {word.capitalize()} ", *[""] * 9])
    assert read_labels(path, sample.design).labels == (*[label] * 3, *[None] * 9)


LABELLED = ["yes", "no", "unsure", "", *["yes"] * 8]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_what_spreadsheets_write_is_understood(path, sample, separator, encoding, ending):
    rows = fill(path, LABELLED)
    rows[0] = ["Number", "QUERY", " reference", "Label ", "note", ""]
    for place, row in enumerate(rows[1:]):
        row[1] += "  "
        row.append("x" if place == 3 else "")
    rows = [rows[0], *reversed(rows[1:]), ["", "", "", "", "", ""]]
    put(path, rows, separator=separator, encoding=encoding, ending=ending)
    assert read_labels(path, sample.design).labels == tuple(label or None for label in LABELLED)


def test_notes_come_with_their_rows(path, sample):
    rows = fill(path, LABELLED)
    rows[5][4] = "two lines;\nand, a comma"
    put(path, [rows[0], *rows[:0:-1]])
    assert read_labels(path, sample.design).notes[4] == "two lines;\nand, a comma"


def test_a_sheet_without_the_note_column_is_read(path, sample):
    rows = fill(path, LABELLED)
    put(path, [row[:4] for row in rows])
    assert read_labels(path, sample.design).notes == ("",) * 12


def test_a_label_is_put_where_it_belongs_and_the_rest_stays(path, sample):
    rows = fill(path, LABELLED)
    rows[0].append("mine")
    put(path, [rows[0], *[[*row, f"m{row[0]}"] for row in rows[:0:-1]]], separator=";")
    sheet = read_sheet(path).labelled(2, "no")
    write_all([sheet_output(sheet.frame, path, sheet.separator)])
    assert path.read_text(encoding="utf-8-sig").startswith('"number";"query"')
    again = read_sheet(path)
    assert again.labels == sheet.labels
    assert again.labels[2] == "no"
    assert again.frame["mine"].tolist() == [f"m{number}" for number in range(12, 0, -1)]
    assert read_labels(path, sample.design).labels[9] == "no"


@given(any_text)
def test_what_is_shown_has_nothing_that_moves_a_terminal(text):
    shown = printable(text)
    assert printable(shown) == shown
    assert not any(ord(character) < 32 or character == "\x7f" for character in shown)
    shown.encode()


@given(any_text, any_text)
def test_the_hash_tells_values_apart(one, other):
    one, other = printable(one), printable(other)
    same = [" ".join(text.split()) for text in (one, other)]
    assert (values_hash(one, "x") == values_hash(other, "x")) == (same[0] == same[1])
    assert (values_hash(one, other) == values_hash(other, one)) == (same[0] == same[1])


class TestRefused:
    """Every fault is one line that names the file, the line, what was found, what was expected and the remedy."""

    def refuse(self, path, sample, *words, error=DataError):
        with pytest.raises(error) as caught:
            read_labels(path, sample.design)
        message = str(caught.value)
        assert message.startswith(str(path))
        for word in words:
            assert word in message
        assert "\n" not in message

    def test_a_missing_file(self, tmp_path, sample):
        self.refuse(tmp_path / "none.csv", sample, "no such file", error=UsageError)

    def test_a_missing_column(self, path, sample):
        rows = cells(path)
        put(path, [[*row[:3], row[4]] for row in rows])
        self.refuse(path, sample, "has no column 'label'", error=UsageError)

    def test_an_unknown_label(self, path, sample):
        fill(path, ["yes", "maybe", *[""] * 10])
        self.refuse(path, sample, "line 3: label is 'maybe'", "expected yes, no or unsure", "leave it empty")

    def test_a_row_that_is_missing(self, path, sample):
        rows = cells(path)
        put(path, rows[:4] + rows[5:])
        self.refuse(path, sample, "number 4 is missing", "expected 12 rows", "put it back")
        put(path, rows[:4] + rows[6:])
        self.refuse(path, sample, "number 4 is missing (and 1 more)")

    def test_a_row_that_is_there_twice(self, path, sample):
        rows = cells(path)
        put(path, [*rows, rows[2]])
        self.refuse(path, sample, "line 14: number 2 stands a second time", "take one of the two rows out")

    @pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "²", "1" * 5000])
    def test_a_number_that_is_none(self, path, sample, number):
        rows = cells(path)
        rows[3][0] = number
        put(path, rows)
        self.refuse(path, sample, f"line 4: number is {number!r}", "put it back")

    def test_a_number_that_was_not_drawn(self, path, sample):
        rows = cells(path)
        rows[3][0] = "99"
        put(path, rows)
        self.refuse(path, sample, "line 4: number is 99", "1 to 12")

    @pytest.mark.parametrize("column", [1, 2])
    def test_changed_values(self, path, sample, column):
        rows = cells(path)
        rows[6][column] += "x"
        put(path, rows)
        self.refuse(path, sample, "line 7: number 6 shows", rows[6][column], "other values were drawn", "put them back")

    def test_one_column_sorted_alone(self, path, sample):
        rows = cells(path)
        for row, value in zip(rows[1:], sorted(row[1] for row in rows[1:]), strict=True):
            row[1] = value
        put(path, rows)
        self.refuse(path, sample, "other values were drawn")

    def test_no_rows(self, path, sample):
        put(path, cells(path)[:1])
        self.refuse(path, sample, "has no rows to label")

    def test_an_empty_file(self, path, sample):
        path.write_bytes(b"")
        self.refuse(path, sample, "is empty")

    def test_another_encoding(self, path, sample):
        rows = cells(path)
        rows[1][4] = "žák"
        put(path, rows, encoding="cp1250")
        self.refuse(path, sample, "is not UTF-8", "save it as UTF-8")

    def test_lines_of_a_semicolon_file_are_counted_too(self, path, sample):
        rows = fill(path, ["yes", "no", "perhaps", *[""] * 9])
        rows[1][4] = "two\nlines"
        put(path, rows, separator=";")
        self.refuse(path, sample, "line 5: label is 'perhaps'")

    def test_blank_lines_do_not_shift_the_count(self, path, sample):
        rows = fill(path, ["yes", "no", "perhaps", *[""] * 9])
        put(path, [rows[0], [""] * 5, *rows[1:]])
        self.refuse(path, sample, "line 5: label is 'perhaps'")
