"""The bundled examples are whole: ids are unique, the truth speaks of rows that exist, some queries have no match."""

import csv
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "docs/examples/autofj50"
TASKS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


def read(task, name):
    with (EXAMPLES / task / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("task", TASKS)
def test_truth_names_rows_of_both_tables(task):
    reference = {row["id"]: row["title"] for row in read(task, "left.csv")}
    query = {row["id"]: row["title"] for row in read(task, "right.csv")}
    truth = read(task, "gt.csv")
    assert truth
    assert [row for row in truth if reference.get(row["id_l"]) != row["title_l"]] == []
    assert [row for row in truth if query.get(row["id_r"]) != row["title_r"]] == []


@pytest.mark.parametrize("task", TASKS)
def test_readme_states_the_row_counts(task):
    reference, query, truth = (read(task, name) for name in ("left.csv", "right.csv", "gt.csv"))
    matched = len({row["id_r"] for row in truth})
    for rows in (reference, query):
        assert len({row["id"] for row in rows}) == len(rows)
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert f"| `{task}` | {len(reference)} | {len(query)} | {matched} |" in readme


def test_some_tasks_have_queries_without_a_match():
    without = [
        task for task in TASKS if len({row["id_r"] for row in read(task, "gt.csv")}) < len(read(task, "right.csv"))
    ]
    assert without == ["Reptile", "ShoppingMall"]
