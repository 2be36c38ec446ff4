"""The benchmark commands, on made-up tasks and without a network."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import (
    _data,
    autofj50,
    blocking_speed,
    candidate_probabilities,
    cases,
    column_proposals,
    equal_rule,
    first_minute,
    growth,
    index_changes,
    joined_output,
    learning_sample,
    long_texts,
    other_tools,
    pair_decisions,
    partitions,
    profile_stages,
    resume,
    scale,
    warehouse,
)
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, JoinOptions, best_recall_at, mean, print_table
from fuzzyjoin import FuzzyJoinError
from tests.cases import EXAMPLES

ROOT = Path(__file__).parents[1]
MACRO_KEYS = [
    "precision",
    "recall",
    "share_within_0.05",
    "lowest_precision",
    "mean_abs_estimate_error",
    "seconds",
    "peak_mb",
]


def write_task(folder, *, cities=True, unmatched=3):
    """A task of 24 reference rows whose queries are misspelt, and some queries without a match."""
    folder.mkdir(parents=True)
    names = [
        f"{adjective} {noun}"
        for adjective in ("Crimson", "Hollow", "Eastern", "Marble")
        for noun in ("Lighthouse", "Monastery", "Reservoir", "Observatory", "Botanical Garden", "Opera House")
    ]
    reference = pd.DataFrame({"id": [f"00{row}" for row in range(len(names))], "title": names})
    query = pd.DataFrame(
        {
            "id": [f"q{row}" for row in range(len(names) + unmatched)],
            "title": [*(f"{name[:4]}{name[5:]}" for name in names), *(f"zz{row} qq" for row in range(unmatched))],
        }
    )
    if cities:
        reference["city"] = [f"Town {row % 5}" for row in range(len(reference))]
        query["city"] = [f"Town {row % 5}" if row % 2 else "" for row in range(len(query))]
    truth = pd.DataFrame({"id_l": reference["id"], "id_r": query["id"][: len(names)]})
    for frame, file in ((reference, "left.csv"), (query, "right.csv"), (truth, "gt.csv")):
        frame.to_csv(folder / file, index=False)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "tasks"
    write_task(folder / "Alpha", cities=False)
    write_task(folder / "Beta", cities=False, unmatched=0)
    (folder / ".DS_Store").touch()
    return folder


def run(module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_autofj50_prints_a_row_a_task_and_writes_the_agreed_json(data, tmp_path, capsys):
    autofj50.main(["--data", str(data), "--method", "autofj", "--space", "small", "--json", str(tmp_path / "out.json")])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("Alpha", "Beta"))] == ["Alpha", "Beta"]
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert list(written) == ["macro", "tasks"]
    assert list(written["macro"]) == MACRO_KEYS
    alpha, beta = written["tasks"]
    assert (alpha["task"], alpha["reference_rows"], alpha["query_rows"]) == ("Alpha", 24, 27)
    assert beta["joined"] > 0
    assert beta["correct"] / beta["joined"] == beta["precision"]
    assert written["macro"]["recall"] == pytest.approx((alpha["recall"] + beta["recall"]) / 2)
    assert written["macro"]["seconds"] == pytest.approx(alpha["seconds"] + beta["seconds"])


def test_a_task_where_nothing_was_joined_counts_as_a_miss_only_if_the_target_was_reachable():
    def row(*, precision, misses):
        return {
            "precision": precision,
            "recall": 0.0,
            "abs_estimate_error": None,
            "misses_target": misses,
            "seconds": 1,
        }

    hit, silent = row(precision=0.9, misses=False), row(precision=None, misses=None)

    assert autofj50.macro_row([hit, row(precision=None, misses=True)])["share_within_0.05"] == 0.5
    assert autofj50.macro_row([hit, silent])["share_within_0.05"] == 1.0
    assert autofj50.macro_row([hit, silent])["precision"] == 0.9
    assert autofj50.macro_row([silent])["lowest_precision"] is None


def test_a_task_that_nothing_can_join_says_nothing_about_the_target(tmp_path):
    write_task(tmp_path / "Alpha", cities=False)
    query = pd.DataFrame({"id": ["q0", "q1"], "title": ["ξψ", "жщ"]})
    query.to_csv(tmp_path / "Alpha" / "right.csv", index=False)
    options = JoinOptions(method="autofj", space="small", precision_target=0.9, threads=1)

    row = autofj50.task_row(read_task(tmp_path / "Alpha"), options)

    assert row["joined"] == 0
    assert row["precision"] is None
    assert row["misses_target"] is None


def test_autofj50_says_in_one_line_that_a_task_does_not_exist(data):
    done = run("autofj50", "--data", data, "--task", "Gamma")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{data}: no task Gamma; there are Alpha, Beta"]


def test_autofj50_says_in_one_line_that_the_target_is_out_of_range(data):
    done = run("autofj50", "--data", data, "--precision-target", "1.5")

    assert done.returncode == 2
    assert "precision_target" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_folder_for_the_figures_is_found_before_the_run(data, tmp_path, capsys):
    with pytest.raises(SystemExit):
        autofj50.main(["--data", str(data), "--json", str(tmp_path / "absent" / "out.json")])

    assert "make it first" in capsys.readouterr().err


@pytest.mark.slow
def test_tasks_joins_any_folder_in_processes_of_their_own(tmp_path):
    write_task(tmp_path / "tasks" / "gamma")
    done = run("tasks", tmp_path / "tasks", "--method", "autofj", "--space", "small", "--json", tmp_path / "out.json")

    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["tasks"]
    assert row["task"] == "gamma"
    assert set(row["columns"]) <= {"title", "city"}
    assert row["recall"] > 0.5
    assert row["peak_mb"] > 10


def test_other_tools_are_measured_on_the_same_tasks_and_shown_with_the_commit(data, tmp_path, capsys):
    other_tools.main([str(data), "--no-autofj", "--json", str(tmp_path / "out.json")])
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert figures["tasks"] == ["Alpha", "Beta"]
    names = [tool["tool"] for tool in figures["macro"]]
    assert names[:2] == ["fuzzyjoin", "fuzzyjoin --method autofj"]
    assert names[2].startswith("rapidfuzz ")
    assert all(tool["recall"] > 0.5 for tool in figures["macro"][1:])
    assert figures["tree"]["commit"] in other_tools.markdown(figures)
    assert other_tools.markdown(figures) in capsys.readouterr().out


def test_other_tools_says_that_every_task_is_too_long(data):
    with pytest.raises(SystemExit, match="more than 5 rows"):
        other_tools.main([str(data), "--most-rows", "5"])


@pytest.mark.slow
def test_blocking_speed_says_that_there_is_nothing_to_compare_with(data, capsys):
    blocking_speed.main(["--tasks", str(data), "--repeats", "1", "--k", "5"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "48 reference rows, 51 queries, the best 5"
    assert sum(line.split()[:1] == ["1"] for line in lines) == 2
    assert f"{sys.executable} cannot import sparse_dot_topn and sklearn: nothing to compare with" in lines


@pytest.mark.slow
def test_scale_measures_every_size_and_finds_the_same_files_in_one(tmp_path, monkeypatch, capsys):
    sizes = ["--reference", "400", "300", "--queries", "120", "110", "--batch-rows", "50", "--whole"]
    scale.main(["--tasks", str(EXAMPLES), *sizes, "--threads", "1", "--json", str(tmp_path / "out.json")])
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [(row["reference_rows"], row["query_rows"]) for row in written["sizes"]] == [(300, 110), (400, 120)]
    assert written["learning"]["query_rows"] == 120
    (whole,) = written["whole"]
    assert (whole["query_rows"], whole["matched"], whole["same"]) == (120, written["sizes"][-1]["matched"], "yes")
    assert whole["matched"] > 0
    assert written["program_id"] in capsys.readouterr().out
    monkeypatch.setattr(scale.filecmp, "cmp", lambda *_files, **_options: False)
    with pytest.raises(SystemExit, match="the files differ"):
        scale.main(["--tasks", str(EXAMPLES), "--reference", "300", "--queries", "20", "--threads", "1", "--whole"])


def test_scale_wants_a_number_of_queries_for_each_size(data, capsys):
    with pytest.raises(SystemExit):
        scale.main(["--tasks", str(data), "--reference", "60", "--queries", "20", "30"])
    assert "one for each of the 1 sizes" in capsys.readouterr().err


@pytest.mark.slow
def test_resume_goes_on_where_a_run_was_killed(tmp_path):
    sizes = ["--reference", "400", "--queries", "2000", "--batch-rows", "50"]
    resume.main(["--tasks", str(EXAMPLES), *sizes, "--threads", "1", "--json", str(tmp_path / "out.json")])
    alone, killed, again = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["runs"]
    assert 24 <= killed["finished"] < 40
    assert "matched" not in killed
    assert (again["done_again"], again["same"]) == (0, "yes")
    assert alone["matched"] == again["matched"] > 0


def test_resume_wants_parts_on_both_sides_of_the_kill(data, capsys):
    with pytest.raises(SystemExit):
        resume.main(["--tasks", str(data), "--queries", "100", "--batch-rows", "60", "--share", "0.9"])
    assert "2 of 2 parts" in capsys.readouterr().err


@pytest.mark.slow
def test_index_changes_measures_changing_and_building_anew(data, tmp_path, capsys):
    sizes = ["--reference", "60", "90", "--changes", "7", "--threads", "1"]
    index_changes.main(["--tasks", str(data), *sizes, "--json", str(tmp_path / "out.json")])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[:3] for row in rows] == [["60", "7", "7"], ["90", "7", "7"]]
    for row in json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["sizes"]:
        assert row["ratio"] == pytest.approx(row["rebuild_seconds"] / row["change_seconds"])


def test_equal_rule_blocks_with_and_without_the_rule(data, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    equal_rule.main(["--rows", "600", "--values", "2", "500", "--tasks", str(data), "--json", str(figures)])
    rules = json.loads(figures.read_text(encoding="utf-8"))["rules"]
    assert [(row["values"], row["query_rows"]) for row in rules] == [(None, 600), (2, 600), (500, 600)]
    assert rules[2]["pairs"] < rules[1]["pairs"] <= rules[0]["pairs"]
    assert all(row["found_share"] > 0.8 for row in rules)
    assert capsys.readouterr().out.count("\n") == 4
    with pytest.raises(SystemExit, match="2"):
        equal_rule.main(["--values", "0"])


def test_joined_output_makes_every_output_of_the_asked_size(tmp_path, capsys):
    joined_output.main(["--rows", "50", "--matched", "0.5", "--json", str(tmp_path / "figures.json")])
    outputs = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["outputs"]
    assert [(row["output"], row["query_rows"], row["columns"]) for row in outputs] == [
        ("frame", 50, 12),
        ("csv", 50, 12),
        ("parquet", 50, 12),
    ]
    assert all(row["seconds"] > 0.0 and row["beside_mb"] >= 0.0 for row in outputs)
    assert capsys.readouterr().out.count("\n") == 5
    with pytest.raises(SystemExit, match="2"):
        joined_output.main(["--rows", "0"])


def test_long_texts_measures_a_table_of_them_and_a_task_with_one(data, tmp_path, capsys):
    sizes = ["--rows", "12", "--characters", "3000", "--cut", "200", "--repeats", "1", "--threads", "1"]
    task = ["--tasks", str(data), str(data / "Alpha")]
    long_texts.main([*task, *sizes, "--method", "autofj", "--space", "small", "--json", str(tmp_path / "out.json")])
    cut, long, plain, *with_cell = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["tables"]
    assert long["joined"] == cut["joined"] == 12
    assert long["times"] == pytest.approx(long["seconds"] / cut["seconds"])
    assert [row["times"] for row in with_cell] == pytest.approx(
        [row["seconds"] / plain["seconds"] for row in with_cell]
    )
    assert (cut.get("times"), long["at_most"], plain.get("times"), with_cell[0]["at_most"]) == (None, 10.0, None, 1.3)
    assert "Alpha, one query cell of 3000 characters" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        long_texts.main([*task, "--repeats", "0"])


def test_a_long_cell_is_added_to_one_side_alone(data):
    task = read_task(data / "Alpha")
    changed = long_texts.with_long_cell(task, ["word", "another"], 500, "query")
    assert changed.reference is task.reference
    assert changed.query["title"][0].startswith(f"{task.query['title'][0]} ")
    assert len(changed.query["title"][0]) == len(task.query["title"][0]) + 501
    assert changed.query[1:].equals(task.query[1:])


@pytest.mark.slow
def test_partitions_find_the_same_by_threads_and_by_processes(tmp_path, monkeypatch, capsys):
    for name in ("FUZZYJOIN_STORAGE", "FUZZYJOIN_DASK", "PREFECT_HOME", "PREFECT_API_URL", "PREFECT_LOGGING_LEVEL"):
        # So that what the command sets is taken back. Empty is no logging level: the server would not start.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    sizes = ["--reference", "900", "--queries", "300", "--partition-rows", "300", "100"]
    partitions.main(["--tasks", str(ROOT / "docs/examples/autofj50"), *sizes, "--json", str(tmp_path / "out.json")])

    rows = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["partitions"]
    assert [(row["by"], row.get("partitions"), row.get("same")) for row in rows] == [
        ("library", None, None),
        ("threads", 1, "yes"),
        ("threads", 3, "yes"),
        ("dask, 2 proc.", 3, "yes"),
    ]
    assert len({row["matched"] for row in rows}) == 1
    assert rows[0]["matched"] > 200
    assert capsys.readouterr().out.count(" yes\n") == 3


@pytest.mark.slow
def test_learning_sample_compares_the_programs_of_all_seeds(tmp_path, capsys):
    write_task(tmp_path / "tasks" / "Alpha", cities=False)
    sizes = ["--reference", "24", "--queries", "200", "--unseen", "50", "--sample-rows", "40", "--seeds", "3"]
    learning_sample.main(
        ["--tasks", str(tmp_path / "tasks"), *sizes, "--threads", "1", "--json", str(tmp_path / "out.json")]
    )

    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [(row["seed"], row["learned_rows"]) for row in written["learning"]] == [(0, 40), (1, 40), (2, 40)]
    assert all(0 < row["joined"] <= 50 for row in written["joining"])
    assert len(written["jaccard"]) == 3
    widths = [row["half_width"] for row in written["widths"]]
    assert widths == sorted(widths, reverse=True)
    assert "Jaccard index of the matches of two programs: least" in capsys.readouterr().out


def test_programs_agree_by_the_matches_that_both_have():
    matches = np.array([3, 5, -1, 7, -1])

    assert learning_sample.jaccard(matches, matches) == 1.0
    assert learning_sample.jaccard(matches, np.array([3, 6, 2, -1, -1])) == 1 / 5
    assert learning_sample.jaccard(np.array([-1]), np.array([-1])) == 1.0


@pytest.mark.slow
def test_growth_reports_the_fit_and_the_steps(tmp_path):
    write_task(tmp_path / "delta")
    sizes = ("--queries", 9, 18, 27)
    options = ("--method", "autofj", "--space", "small", "--json", tmp_path / "out.json")
    done = run("growth", tmp_path / "delta", *sizes, *options)

    assert done.returncode == 0, done.stderr
    assert "seconds = " in done.stdout
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [row["query_rows"] for row in written["sizes"]] == [9, 18, 27]
    assert [(step["from"], step["to"]) for step in written["fit"]["steps"]] == [(9, 18), (18, 27)]


def test_growth_finds_the_coefficients_of_a_line_and_the_ratio_of_its_steps():
    fitted = growth.fit([10, 20, 40], [3.0, 5.0, 9.0])

    assert fitted["a"] == pytest.approx(1.0)
    assert fitted["b"] == pytest.approx(0.2)
    assert [step["ratio"] for step in fitted["steps"]] == [None, pytest.approx(1.0)]


def test_a_larger_sample_of_queries_holds_the_smaller_and_keeps_its_truth(tmp_path):
    write_task(tmp_path / "delta")
    task = read_task(tmp_path / "delta")
    small, large = (growth.sample_queries(task, size) for size in (5, 15))

    assert set(small.query["id"]) < set(large.query["id"])
    assert set(large.truth["id_r"]) == set(large.query["id"]) & set(task.truth["id_r"])


def test_profile_prints_every_stage_and_the_measured_bounds(data, tmp_path, capsys, monkeypatch):
    for name, few in (("PAIRS", 1_000), ("SIDE", 50), ("COPIED_BYTES", 1 << 20)):
        monkeypatch.setattr(profile_stages, name, few)
    options = ["--method", "autofj", "--space", "small", "--json", str(tmp_path / "out.json")]
    profile_stages.main(["--data", str(data), *options])

    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert written["stages"]
    assert all(rate > 0 for rate in written["rates"].values())
    assert "memory copy" in capsys.readouterr().out


def test_warehouse_measures_each_database_at_hand(tmp_path, capsys):
    warehouse.main(["--matches", "50", "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["warehouse"]
    assert [(row["database"], row["matches"]) for row in figures] == [("sqlite", 50), ("duckdb", 50)]
    names = ("staged", "first", "same", "changed", "unmatched", "hashes", "asked")
    assert all(row[name] > 0 for row in figures for name in names)
    assert "changed/staged" in capsys.readouterr().out


@pytest.mark.slow
def test_orchestration_is_measured_beside_the_library(tmp_path):
    done = run("orchestration", "--runs", 1, "--json", tmp_path / "out.json")

    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["orchestration"]
    assert [row["kind"] for row in rows] == ["new", "again"]
    assert all(row["beside"] > 0 for row in rows)


def test_a_perfect_threshold_never_divides_equal_confidences():
    ranked = [(0.9, True), (0.8, True), (0.7, True), (0.7, False), (0.1, False)]

    assert best_recall_at(1.0, ranked, 4) == 0.5
    assert best_recall_at(0.75, ranked, 4) == 0.75
    assert best_recall_at(1.0, [], 4) == 0.0


def test_ids_are_text_and_only_empty_cells_are_missing(tmp_path):
    folder = tmp_path / "epsilon"
    write_task(folder)
    (folder / "left.csv").write_text("id,title,city\n007,NA,\n008,null,Oslo\n", encoding="utf-8")
    task = read_task(folder)

    assert task.reference["id"].tolist() == ["007", "008"]
    assert task.reference["title"].tolist() == ["NA", "null"]
    assert task.reference["city"].isna().tolist() == [True, False]
    assert task.columns == ("title", "city")


def test_the_columns_of_a_task_can_be_named_by_its_meta_json_or_by_the_caller(tmp_path):
    folder = tmp_path / "zeta"
    write_task(folder)
    (folder / "meta.json").write_text('{"columns": ["city"]}', encoding="utf-8")

    assert read_task(folder).columns == ("city",)
    assert read_task(folder, ["title"]).columns == ("title",)
    with pytest.raises(SystemExit, match="no shared column price"):
        read_task(folder, ["price"])


@pytest.mark.parametrize("folder", ["absent", "."])
def test_a_folder_without_tasks_is_named(tmp_path, folder):
    with pytest.raises(SystemExit, match="expected"):
        task_names(tmp_path / folder)


def test_only_task_files_leave_the_wheel_and_only_for_their_own_folder(tmp_path, monkeypatch):
    wheel = tmp_path / "fuzzyjoin-benchmarks" / "autofj-0.0.6-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in ("left.csv", "right.csv", "gt.csv"):
            archive.writestr(f"autofj/benchmark/Alpha/{file}", "id\n")
        archive.writestr("autofj/benchmark/../gt.csv", "id\n")
        archive.writestr("autofj/benchmark/Alpha/../../gt.csv", "id\n")
        archive.writestr("autofj/benchmark/.DS_Store", "")
        archive.writestr("autofj/autofj.py", "raise SystemExit")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(_data, "AUTOFJ_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())

    folder = autofj50_folder()

    assert task_names(folder) == ["Alpha"]
    unpacked = [path for path in folder.parent.rglob("*") if path.is_file() and path != wheel]
    assert sorted(path.name for path in unpacked) == ["gt.csv", "left.csv", "right.csv"]


def test_a_wheel_with_another_hash_is_not_kept(tmp_path, monkeypatch):
    def fetch_another(command, *, check):
        assert not check
        (Path(command[command.index("--dest") + 1]) / _data.AUTOFJ_WHEEL).write_bytes(b"not the wheel")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(_data.subprocess, "run", fetch_another)

    with pytest.raises(SystemExit, match="nothing was kept"):
        _data.autofj_wheel()
    assert not list((tmp_path / "fuzzyjoin-benchmarks").iterdir())


def test_the_mean_is_over_what_is_defined():
    assert mean([1.0, None, 2.0]) == 1.5
    assert mean([None]) is None


def test_a_table_shows_a_dash_where_a_value_is_undefined(capsys):
    print_table((Column("task", "task", 6), Column("P", "precision", 6, ".3f")), [{"task": "a", "precision": None}])

    assert capsys.readouterr().out.splitlines() == ["task         P", "a            -"]


def test_peak_memory_is_what_was_held_at_most():
    code = """
from benchmarks._measure import peak_memory_mb
before = peak_memory_mb()
held = b"x" * (int(before + 64) << 20)
del held
print(peak_memory_mb() - before)
"""
    grown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert float(grown.stdout) >= 63


@pytest.mark.slow
def test_cases_are_joined_at_the_command_line_and_what_is_refused_is_said(tmp_path, capsys):
    write_task(tmp_path / "repeated", cities=False, unmatched=0)
    left = pd.read_csv(tmp_path / "repeated" / "left.csv", dtype=str)
    again = left.assign(id="9" + left["id"])
    pd.concat([left, again]).to_csv(tmp_path / "repeated" / "left_twice.csv", index=False)
    (tmp_path / "repeated" / "left_latin1.csv").write_bytes("id,title\n1,Caf\xe9\n2,Bar\n".encode("latin-1"))
    cases.main([str(tmp_path), "--on", "repeated:title", "--json", str(tmp_path / "out.json")])
    rows = {row["reference"]: row for row in json.loads((tmp_path / "out.json").read_text())["cases"]}
    assert rows["left.csv"]["right"] == rows["left_twice.csv"]["right"] > 0
    assert rows["left_twice.csv"]["equal_reference_rows"] == 24
    assert "read as Windows-1252" in rows["left_latin1.csv"]["said"]
    assert "read as Windows-1252" in capsys.readouterr().out


def test_a_command_of_the_first_minute_is_timed_with_the_processes_it_waits_for(tmp_path):
    work = "sum(range(3_000_000))"
    call = (
        sys.executable,
        "-c",
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{work}'], check=True)",
    )
    row = first_minute.measured("work", call, tmp_path, os.environ, runs=2, before=1)
    assert (row["what"], row["runs"]) == ("work", 2)
    assert row["seconds"] > 0
    assert row["cpu_seconds"] > 0.02


def test_a_command_of_the_first_minute_that_fails_is_told_with_what_it_said(tmp_path):
    with pytest.raises(FuzzyJoinError, match=r"(?s)ended with 3: no index"):
        first_minute.measured("work", ("sh", "-c", "echo no index; exit 3"), tmp_path, os.environ, runs=1)


def test_candidate_probabilities_tells_what_was_said_and_what_is_right(tmp_path, capsys):
    write_task(tmp_path / "tasks" / "places")
    candidate_probabilities.main(["--tasks", str(tmp_path / "tasks"), "--json", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert {row["rank"] for row in found["bins"]} >= {"1", "2", "3", "none"}
    assert all(0.0 <= row["right"] <= 1.0 and row["low"] <= row["said"] <= row["high"] for row in found["bins"])
    assert found["apart"] < 1e-9
    assert "are at most" in capsys.readouterr().out


def test_column_proposals_counts_found_and_wrong_pairs(tmp_path):
    write_task(tmp_path / "places")
    row = column_proposals.task_row(read_task(tmp_path / "places"))
    assert (row["wanted"], row["found"], row["wrong_unwarned"]) == (2, 2, 0)


def test_pair_decisions_measures_as_many_as_were_asked_for(capsys):
    pair_decisions.main(["--rows", "60", "--decisions", "20"])
    assert capsys.readouterr().out.split()[-4:-2] == ["60", "20"]
