"""`--joined` and `--how` of join and apply, on real files."""

import datetime as dt
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fuzzyjoin.cli import app
from fuzzyjoin.files import read_table

NAMES = ["Grand Mall", "North Plaza", "River Centre", "Old Market Hall", "Harbour Arcade", "King's Walk"]
TYPED = ["grand mal", "north plazza", "zzzz", "the river centre"]
HOWS = ["left", "inner", "anti", "full"]
MATCH = {"a": "00", "b": "01", "d": "02"}


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def texts(tmp_path):
    """Cells that a reader of numbers, of missing values or of dates would spoil."""
    left = [f'0{row},{name},00{row},"N/A"' for row, name in enumerate(NAMES)]
    right = [f"{key},{name},1.50,{row}e3" for row, (key, name) in enumerate(zip("abcd", TYPED, strict=True))]
    (tmp_path / "left.csv").write_text("\n".join(["id,title,zip,note", *left]) + "\n", encoding="utf-8")
    (tmp_path / "right.csv").write_text("\n".join(["id,title,price,zip", *right]) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def typed(tmp_path):
    """The same rows with types that only Parquet has, in files that are cut into several groups of rows."""
    left = pa.table(
        {
            "id": pa.array(range(6), pa.int16()),
            "title": NAMES,
            "opened": [dt.date(2000 + row, 1, 31) for row in range(6)],
            "rent": pa.array([Decimal(f"{row}.50") for row in range(6)], pa.decimal128(9, 2)),
            "kind": pa.array(["mall", None, "walk", "mall", "mall", "walk"]).dictionary_encode(),
            "open": [True, False, None, True, True, False],
            "town": pa.array(["Oslo"] * 6, pa.string_view()),
        }
    )
    right = pa.table({"id": list("abcd"), "title": TYPED, "sold": pa.array([1, None, 3, 4], pa.int64())})
    pq.write_table(left, tmp_path / "left.parquet", row_group_size=4)
    pq.write_table(right, tmp_path / "right.parquet", row_group_size=3)
    return tmp_path


def joined(folder, how, ending=".csv", source=".csv", *more):
    """Join and give the file of the joined table."""
    path = folder / f"joined-{how}{ending}"
    tables = [folder / f"left{source}", folder / f"right{source}"]
    outputs = ["-o", folder / "matches.csv", "--program-out", folder / "p.json", "--joined", path, "--how", how]
    run("join", *tables, "--on", "title", "--space", "small", *outputs, *more)
    return path


def expected_rows(folder, how):
    """What the joined table of CSV files holds, by hand: a dict a row."""
    reference = read_table(folder / "left.csv").set_index("id", drop=False).to_dict("index")
    rows = read_table(folder / "right.csv").to_dict("records")
    names = {"id": "id_reference", "title": "title_reference", "zip": "zip_reference", "note": "note"}
    beside = {
        key: {names[name]: cell for name, cell in reference[MATCH[key]].items()} if key in MATCH else {}
        for key in "abcd"
    }
    left = [row | beside[row["id"]] for row in rows]
    rest = [{names[name]: cell for name, cell in row.items()} for key, row in reference.items()][3:]
    return {
        "left": left,
        "inner": [row for row in left if row["id"] in MATCH],
        "anti": [row for row in rows if row["id"] not in MATCH],
        "full": [*left, *rest],
    }[how]


class TestJoin:
    @pytest.mark.parametrize("how", HOWS)
    def test_csv_shows_the_cells_as_they_came(self, texts, how):
        table = read_table(joined(texts, how))
        rows = [{name: cell for name, cell in row.items() if isinstance(cell, str)} for row in table.to_dict("records")]
        probabilities = [row.pop("match_probability", None) for row in rows]
        assert rows == expected_rows(texts, how)
        assert [value is not None for value in probabilities] == [
            how != "anti" and "id_reference" in row and "id" in row for row in rows
        ]

    def test_columns_are_those_of_both_tables_and_the_probability(self, texts):
        header = "id,title,price,zip,id_reference,title_reference,zip_reference,note,match_probability"
        assert joined(texts, "left").read_text(encoding="utf-8").splitlines()[0] == header
        assert joined(texts, "anti").read_text(encoding="utf-8").splitlines()[0] == "id,title,price,zip"

    def test_probabilities_have_four_digits_in_csv_and_all_in_parquet(self, texts):
        matches = pd.read_csv(joined(texts, "inner").with_name("matches.csv"))["precision_estimate"]
        written = read_table(texts / "joined-inner.csv")["match_probability"].tolist()
        assert written == [f"{value:.4g}" for value in matches]
        assert pd.read_parquet(joined(texts, "inner", ".parquet"))["match_probability"].tolist() == matches.tolist()

    @pytest.mark.parametrize("how", HOWS)
    def test_parquet_keeps_the_types_of_parquet(self, typed, how):
        table = pq.read_table(joined(typed, how, ".parquet", ".parquet"))
        left, right = (pq.read_schema(typed / f"{name}.parquet") for name in ("left", "right"))
        # The rows of a view cannot be taken: it becomes the texts that it shows.
        kept = [pa.large_string() if type_ == pa.string_view() else type_ for type_ in left.types]
        assert table.schema.types == [*right.types, *(() if how == "anti" else (*kept, pa.float64()))]
        sold = table["sold"].to_pylist()
        opened = [] if how == "anti" else table["opened"].to_pylist()
        days = [dt.date(2000 + row, 1, 31) for row in range(6)]
        assert (sold, opened) == {
            "left": ([1, None, 3, 4], [days[0], days[1], None, days[2]]),
            "inner": ([1, None, 4], days[:3]),
            "anti": ([3], []),
            "full": ([1, None, 3, 4, None, None, None], [days[0], days[1], None, days[2], *days[3:]]),
        }[how]

    def test_pandas_reads_parquet_with_its_own_dtypes(self, typed):
        table = pd.read_parquet(joined(typed, "full", ".parquet", ".parquet"))
        dtypes = {name: str(table[name].dtype) for name in ("id", "sold", "id_reference", "kind", "open", "town")}
        assert list(dtypes.values()) == ["str", "Int64", "Int16", "category", "boolean", "str"]
        assert table["rent"].tolist()[:2] == [Decimal("0.50"), Decimal("1.50")]

    def test_parquet_shows_csv_cells_as_text(self, texts):
        table = pd.read_parquet(joined(texts, "inner", ".parquet"))
        assert table["zip_reference"].tolist() == ["000", "001", "002"]
        assert table["price"].tolist() == ["1.50"] * 3

    def test_csv_of_parquet_shows_it_as_it_is_read(self, typed):
        table = read_table(joined(typed, "left", ".csv", ".parquet"))
        assert table["opened"].tolist()[:2] == ["2000-01-31", "2001-01-31"]
        assert table["sold"].tolist()[::2] == ["1", "3"]

    def test_json_and_summary_name_the_file(self, texts):
        tables = [texts / "left.csv", texts / "right.csv"]
        more = ["--on", "title", "-o", texts / "m.csv", "--joined", texts / "j.csv", "--json"]
        result = run("join", *tables, *more)
        assert json.loads(result.stdout)["written"]["joined"] == str(texts / "j.csv")
        assert str(texts / "j.csv") in result.stderr
        assert len(read_table(texts / "j.csv")) == 4

    def test_rows_without_ids_show_their_numbers(self, texts):
        (texts / "right.csv").write_text("title\ngrand mal\ngrand mal\n", encoding="utf-8")
        for ending in (".csv", ".parquet"):
            table = read_table(joined(texts, "left", ending))
            assert table["row number"].tolist() == ["1", "2"]

    def test_a_query_table_without_rows_gives_headers_or_the_reference_table(self, texts):
        (texts / "right.csv").write_text("id,title\n", encoding="utf-8")
        left = joined(texts, "left").read_text(encoding="utf-8")
        assert left == "id,title,id_reference,title_reference,zip,note,match_probability\n"
        full = read_table(joined(texts, "full"))
        assert full["id_reference"].tolist() == [f"0{row}" for row in range(6)]
        assert full["id"].isna().all()


class TestApply:
    @pytest.mark.parametrize("how", HOWS)
    @pytest.mark.parametrize("kind", [".csv", ".parquet"])
    @pytest.mark.parametrize("batch_rows", [1, 3, 100])
    @pytest.mark.usefixtures("typed")
    def test_it_writes_what_join_writes(self, texts, how, kind, batch_rows):
        expected = joined(texts, how, kind, kind).read_bytes()
        path = texts / f"again{kind}"
        tables = [texts / f"left{kind}", texts / f"right{kind}"]
        more = ["-o", texts / "m.csv", "--joined", path, "--how", how, "--batch-rows", batch_rows]
        run("apply", texts / "p.json", *tables, *more)
        assert path.read_bytes() == expected

    def test_an_index_changes_nothing(self, texts):
        expected = joined(texts, "full").read_bytes()
        tables = [texts / "left.csv", texts / "right.csv"]
        more = ["-o", texts / "m.csv", "--joined", texts / "again.csv", "--how", "full", "--index", texts / "indexes"]
        run("apply", texts / "p.json", *tables, *more)
        assert (texts / "again.csv").read_bytes() == expected

    def test_rows_without_ids_show_their_numbers_in_every_batch(self, typed):
        table = pq.read_table(typed / "right.parquet").drop_columns(["id"])
        pq.write_table(pa.concat_tables([table, table]), typed / "right.parquet")
        expected = joined(typed, "left", ".parquet", ".parquet")
        tables = [typed / "left.parquet", typed / "right.parquet"]
        more = ["-o", typed / "m.csv", "--joined", typed / "again.parquet", "--batch-rows", 3]
        run("apply", typed / "p.json", *tables, *more)
        assert pq.read_table(typed / "again.parquet")["row number"].to_pylist() == list(range(1, 9))
        assert (typed / "again.parquet").read_bytes() == expected.read_bytes()


class TestRefused:
    @pytest.mark.parametrize("command", ["join", "apply"])
    def test_how_without_joined(self, texts, command):
        joined(texts, "left")
        asked = {"join": ["--on", "title"], "apply": []}[command]
        first = [texts / "p.json"] if command == "apply" else []
        tables = [*first, texts / "left.csv", texts / "right.csv", *asked]
        result = run(command, *tables, "-o", texts / "new.csv", "--how", "full", code=2)
        assert "--how full says which rows --joined FILE gets; add --joined FILE" in result.output
        assert not (texts / "new.csv").exists()

    @pytest.mark.parametrize("name", ["left.csv", "matches.csv", "nowhere/j.csv", "j.txt"])
    def test_a_file_that_cannot_be_written(self, texts, name):
        before = {path: path.read_bytes() for path in texts.iterdir()}
        tables = [texts / "left.csv", texts / "right.csv", "--on", "title"]
        run("join", *tables, "-o", texts / "matches.csv", "--joined", texts / name, code=2)
        assert {path: path.read_bytes() for path in texts.iterdir()} == before
