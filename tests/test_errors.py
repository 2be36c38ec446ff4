"""What errors carry beside their words, for programs that act on them."""

from __future__ import annotations

import pandas as pd
import pytest

from fuzzyjoin import DataError, UsageError, fuzzy_join, learn_program
from fuzzyjoin.cli.inputs import read_pair
from fuzzyjoin.files.table_files import write_table

REFERENCE = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
QUERY = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})


@pytest.mark.parametrize(
    ("reference", "query", "argument", "column", "row"),
    [
        (REFERENCE, QUERY.assign(id=[7, 7]), "query", "id", 2),
        (REFERENCE.assign(id=[1, None, 3]), QUERY, "reference", "id", 2),
        (REFERENCE, QUERY.assign(name=pd.Series(["x", "half \ud800"], dtype=object)), "query", "name", 2),
        (REFERENCE, QUERY.assign(name=""), "query", "name", None),
        (REFERENCE.head(1), QUERY, "reference", None, None),
        (REFERENCE, QUERY.set_axis(["id", "id"], axis=1), "query", "id", None),
    ],
    ids=["id twice", "id missing", "half a character", "nothing to compare", "one row", "two columns of one name"],
)
def test_a_fault_in_the_data_says_where_it_is(reference, query, argument, column, row):
    with pytest.raises(DataError) as caught:
        learn_program(reference, query, on="name", space="small")
    error = caught.value
    assert (error.argument, error.column, error.row, error.file) == (argument, column, row, None)
    assert error.remedy
    assert str(error).endswith(f"; {error.remedy}")


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'name'") as caught:
        fuzzy_join(REFERENCE, QUERY, on="nmae")
    assert (caught.value.argument, caught.value.column) == ("reference", "nmae")


def test_the_command_line_names_the_file_of_the_argument_at_fault(tmp_path):
    write_table(REFERENCE, tmp_path / "left.csv")
    write_table(QUERY, tmp_path / "right.csv")
    tables = read_pair(tmp_path / "left.csv", tmp_path / "right.csv", on=None, ids=None)
    for argument, file in (("reference", "left.csv"), ("query", "right.csv")):
        with pytest.raises(DataError) as caught, tables.naming_files():
            raise DataError("the table is wrong", argument=argument)
        assert caught.value.file == str(tmp_path / file)
        assert str(caught.value) == f"{tmp_path / file}: the table is wrong"
    with pytest.raises(DataError) as caught, tables.naming_files():
        raise DataError("no table is wrong")
    assert caught.value.file is None
