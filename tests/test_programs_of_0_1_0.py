"""Programs of version 0.1.0 go on giving the matches that they gave."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin.cli import app
from tests.version_0_1_0 import FILES


@pytest.mark.parametrize("method", ["auto", "autofj"])
def test_apply_gives_the_matches_on_record(method, tmp_path):
    program, reference, query = FILES / f"{method}.json", FILES / "left.csv", FILES / "right.csv"
    outputs = ["-o", tmp_path / "matches.csv", "--unmatched-out", tmp_path / "unmatched.csv"]

    call = ["apply", program, reference, query, *outputs]
    done = CliRunner().invoke(app, [str(part) for part in call])

    assert done.exit_code == 0, done.output
    for name, columns in (("matches", None), ("unmatched", ["query_id", "best_reference_id", "best_distance"])):
        recorded = pd.read_csv(FILES / f"{method}-{name}.csv", dtype={"query_id": str}, usecols=columns)
        found = pd.read_csv(tmp_path / f"{name}.csv", dtype={"query_id": str})
        pd.testing.assert_frame_equal(found[recorded.columns], recorded, rtol=1e-9)


@pytest.mark.parametrize("method", ["auto", "autofj"])
def test_explain_still_reads_them(method):
    call = [FILES / f"{method}.json", FILES / "left.csv", FILES / "right.csv", "--query-id", "0"]
    done = CliRunner().invoke(app, ["explain", *map(str, call)])
    assert done.exit_code == 0, done.output
