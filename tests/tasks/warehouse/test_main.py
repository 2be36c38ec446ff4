"""The commands answer from a real warehouse."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fuzzyjoin import Program
from fuzzyjoin.cli import app
from tasks.store.code_version import code_version
from tasks.warehouse.__main__ import main
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import history, propose
from tasks.warehouse.pipelines import current_program_id
from tests.tasks.warehouse import people
from tests.tasks.warehouse.cases import day, found, prepare, program, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def replaced(warehouse, monkeypatch):
    """Two runs, the second of another program with another match for q1."""
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", warehouse.url.render_as_string(hide_password=False))
    prepare(warehouse)
    matches, unmatched = found(3)
    write(warehouse, "one", matches, unmatched)
    elsewhere = matches.assign(reference_id=["r0", "new"], reference_text=["Cafe 0", "Café new"])
    write(warehouse, "two", elsewhere, unmatched, at=day(2), using=program(0.4))
    return warehouse


@pytest.mark.usefixtures("replaced")
def test_why_tells_of_a_match_since_replaced(capsys):
    assert main(["why", "malls", "q1", "--at", "2026-03-02"]) == 0
    first, reason, *_ = capsys.readouterr().out.splitlines()
    assert first == (
        r"Query q1 (Café “1”, a\tb\N\nc) was joined to reference r1 (Cafe 1); "
        "estimated probability that it is right: 0.5."
    )
    assert reason == (
        "Why: its distance 0.1429 is at most 0.3, which joins by configuration 0, lower/3-gram/uniform/jaccard."
    )
    assert main(["why", "malls", "q1"]) == 0
    assert "was joined to reference new (Café new)" in capsys.readouterr().out


@pytest.mark.usefixtures("replaced")
def test_why_says_that_there_was_no_match(capsys):
    assert main(["why", "malls", "q1", "--at", "2026-02-01T00:00:00+01:00"]) == 1
    assert "Query q1 of pipeline malls had no match at 2026-02-01T00:00:00+01:00." in capsys.readouterr().out


@pytest.mark.usefixtures("replaced")
def test_why_says_why_a_row_was_not_joined(capsys):
    assert main(["why", "malls", "q2"]) == 0
    assert capsys.readouterr().out.startswith("Query q2 was joined to nothing: too far.\n")


@pytest.mark.usefixtures("replaced")
def test_a_stored_program_is_exported_as_a_file_that_explain_reads(tmp_path, capsys):
    file = tmp_path / "program.json"
    assert main(["program", program().program_id, "-o", str(file)]) == 0
    assert f"Wrote program {program().program_id} to {file}." in capsys.readouterr().out
    exported = Program.load(file)
    assert exported.program_id == program().program_id
    assert exported.learning_record == program().learning_record
    explained = CliRunner().invoke(app, ["explain", str(file)])
    assert (explained.exit_code, program().program_id in explained.output) == (0, True)


@pytest.mark.usefixtures("replaced")
def test_changes_lists_them_with_their_causes(capsys):
    assert main(["changes", "one", "two"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 changed: 0 gained, 0 lost, 1 redirected, 1 rewritten (same reference row, other evidence)",
        "q0: r0 (Cafe 0) -> r0 (Cafe 0), changed by: program",
        r"q1 (Café “1”, a\tb\N\nc): r1 (Cafe 1) -> new (Café new), changed by: program",
    ]


@pytest.mark.usefixtures("replaced")
def test_diff_tells_two_programs_apart(capsys):
    assert main(["diff", program().program_id, program(0.4).program_id]) == 0
    assert "joins up to 0.4 instead of 0.3" in capsys.readouterr().out
    assert main(["diff", program().program_id, program().program_id]) == 0
    assert capsys.readouterr().out == "They are the same program.\n"


def test_rollback_is_a_decision(replaced, capsys):
    with writing(replaced) as connection:
        for learned in (program(), program(0.4)):
            propose(connection, "malls", learned.program_id, by="learner", at=day(3))
    assert main(["rollback", "malls", program().program_id, "--by", "ada", "--reason", "too lax"]) == 0
    assert "uses program sha256:" in capsys.readouterr().out
    with reading(replaced) as connection:
        assert current_program_id(connection, "malls") == program().program_id
        last = history(connection, "malls")[-1]
    assert (last.kind, last.decided_by, last.reason) == ("rollback", "ada", "too lax")


def beginnings(whole, *others):
    """The shortest beginnings of an id, with and without what kind of hash it is, that the others do not share."""
    digits = whole.removeprefix("sha256:")
    length = next(
        size
        for size in range(1, len(digits) + 1)
        if not any(other.removeprefix("sha256:").startswith(digits[:size]) for other in others)
    )
    return (digits[:length], f"sha256:{digits[:length]}", f"sha256:{digits[:length]}…", whole)


@pytest.mark.usefixtures("replaced")
@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("run", ("on", "tw")),
        ("changes", ("o", "t")),
        ("replay", ("one…", "two…")),
        ("audit-draw", ("one", "tw...")),
        ("changes", ("one…", "tw...")),
    ],
)
def test_a_run_is_named_by_the_beginning_of_its_id(call, given, capsys, tmp_path):
    arguments = {
        "run": ["run", given[1]],
        "changes": ["changes", *given],
        "replay": ["replay", given[1]],
        "audit-draw": ["audit-draw", given[1], "-o", f"{tmp_path}/s.csv", "--design-out", f"{tmp_path}/d.json"],
    }[call]
    code = main(arguments)
    said = capsys.readouterr()
    if call in {"run", "changes"}:
        assert code == 0
        assert ("Run two of pipeline" if call == "run" else "2 changed:") in said.out
    else:
        # It has no snapshots; but it was found.
        assert code == 1
        assert "the run recorded no snapshot" in said.err


@pytest.mark.usefixtures("replaced")
def test_a_program_is_named_by_the_beginning_of_its_id(capsys):
    first, second = program().program_id, program(0.4).program_id
    for before, after in zip(beginnings(first, second), beginnings(second, first), strict=True):
        assert main(["diff", before, after]) == 0
        assert "joins up to 0.4 instead of 0.3" in capsys.readouterr().out


def test_a_decision_takes_the_beginning_of_an_id_that_is_unique_in_its_pipeline(replaced, capsys):
    first, second = program().program_id, program(0.4).program_id
    prepare(replaced, promotion="review")
    with writing(replaced) as connection:
        propose(connection, "malls", first, by="learner", at=day(3))
    # The other program is not decided on in this pipeline, so even nothing but the kind of hash is enough.
    assert main(["approve", "malls", "sha256:", "--by", "ada"]) == 0
    assert capsys.readouterr().out == f"malls uses program {first} now\n"
    with writing(replaced) as connection:
        propose(connection, "malls", second, by="learner", at=day(4))
    assert main(["refuse", "malls", beginnings(second, first)[0], "--by", "ada"]) == 0
    assert capsys.readouterr().out == f"malls goes on without program {second}\n"
    assert main(["rollback", "malls", "sha256:", "--by", "ada"]) == 1
    said = capsys.readouterr().err
    assert (
        said == f"error: program id 'sha256:' fits 2 programs: {', '.join(sorted([first, second]))}; give more of it\n"
    )


def test_a_beginning_that_several_ids_share_is_refused_with_all_of_them(replaced, capsys):
    matches, unmatched = found(3)
    write(replaced, "two.2", matches, unmatched, at=day(3))
    write(replaced, "TWO", matches, unmatched, at=day(4))
    assert main(["changes", "tw"]) == 1
    assert capsys.readouterr().err == (
        "error: run id 'tw' fits 2 runs: two.2 (succeeded, 2026-03-04T02:00:00+00:00), two (succeeded, "
        "2026-03-03T02:00:00+00:00); give more of it\n"
    )
    # A whole id is meant itself, although it begins another one.
    assert main(["run", "two"]) == 0
    assert capsys.readouterr().out.startswith("Run two of pipeline")
    for run in range(12):
        write(replaced, f"many{run}", matches, unmatched, at=day(5 + run))
    assert main(["run", "many"]) == 1
    assert capsys.readouterr().err.endswith(
        "many2 (succeeded, 2026-03-08T02:00:00+00:00), and 2 more; give more of it\n"
    )


@pytest.mark.usefixtures("replaced")
def test_changes_of_one_run_are_those_against_what_held_before_it(capsys):
    assert main(["changes", "two"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 changed: 0 gained, 0 lost, 1 redirected, 1 rewritten (same reference row, other evidence)",
        "q0: r0 (Cafe 0) -> r0 (Cafe 0), changed by: program",
        r"q1 (Café “1”, a\tb\N\nc): r1 (Cafe 1) -> new (Café new), changed by: program",
    ]


@pytest.mark.usefixtures("replaced")
def test_runs_and_run_tell_of_what_was_tried(capsys):
    assert main(["runs", "malls", "--limit", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "The last run of malls succeeded: 2 of 30 matched, estimated precision 0.93 (0.90 to 0.96).",
        "1 run, the newest first:",
        (
            "two  succeeded: 2 of 30 matched, estimated precision 0.93 (0.90 to 0.96)  "
            "(2 opened, 2 closed, 0 unchanged)  2026-03-03T02:00:00+00:00 by ada"
        ),
    ]
    assert main(["run", "one"]) == 0
    assert capsys.readouterr().out.startswith(
        "Run one of pipeline malls succeeded: 2 of 30 matched, estimated precision 0.93 (0.90 to 0.96).\n"
    )


def test_approve_and_refuse_are_decisions_that_history_lists(replaced, capsys):
    prepare(replaced, promotion="review")
    with writing(replaced) as connection:
        for learned in (program(), program(0.4)):
            propose(connection, "malls", learned.program_id, by="learner", at=day(3))
    assert main(["approve", "malls", program().program_id, "--by", "ada"]) == 0
    assert main(["refuse", "malls", program(0.4).program_id, "--by", "grace", "--reason", "too lax"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"malls uses program {program().program_id} now",
        f"malls goes on without program {program(0.4).program_id}",
    ]
    assert main(["history", "malls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines.pop(0) == f"Current program: {program().program_id}"
    assert lines[0] == f"1  2026-03-04T02:00:00+00:00  proposal of {program().program_id} by learner"
    assert f"approval of {program().program_id} by ada" in lines[2]
    assert f"refusal of {program(0.4).program_id} by grace (too lax)" in lines[3]
    assert main(["approve", "malls", program().program_id, "--by", "ada"]) == 1
    assert "is not proposed in 'malls'" in capsys.readouterr().err


def test_replay_and_erase_find_the_snapshots_in_the_storage_folder(warehouse, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", warehouse.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    prepare(warehouse)
    people.run(warehouse, tmp_path / "snapshots")
    assert main(["replay", "one"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Run one done again: 3 of 3 query rows are decided as they were.",
        f"Code abc123 then, {code_version()} now.",
    ]
    assert main(["replay", "one", "--snapshots", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    people.run(warehouse, tmp_path / "snapshots", "two", at=day(1), reference_id="r4")
    assert main(["replay", "two"]) == 1
    assert "q1: joined to r4 then, joined to r1 now" in capsys.readouterr().out
    kept = [tmp_path / kind / "file" for kind in ("results", "matches", "partitions", "indexes/of", "parts")]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.write_text("Ada")
    assert main(["erase", "malls", "--query-id", "q1", "--by", "ada", "--reason", "she asked"]) == 0
    told = capsys.readouterr().out
    assert "query q1: 2 rows redacted, 1 snapshots deleted." in told
    assert "What was kept to save work may hold the values, and was deleted: 5 files and indexes." in told
    assert not any(path.exists() for path in kept)
    assert main(["replay", "one"]) == 1
    assert "was erased by ada" in capsys.readouterr().err
    assert main(["erase", "malls", "--reference-id", "r9", "--by", "ada", "--reason", "she asked"]) == 1
    assert "reference r9 of 'malls' has no values" in capsys.readouterr().err


@pytest.mark.usefixtures("replaced")
@pytest.mark.parametrize(
    "call",
    [
        ["why", "towns", "q1"],
        ["runs", "towns"],
        ["runs", "malls", "--limit", "0"],
        ["run", "none"],
        ["history", "towns"],
        ["changes", "none"],
        ["diff", "sha256:x", "sha256:y"],
        ["approve", "malls", "sha256:x", "--by", "ada"],
        ["refuse", "towns", "sha256:x", "--by", "ada"],
        ["rollback", "malls", "sha256:x", "--by", ""],
        ["program", "sha256:x", "-o", "unwritten.json"],
        ["replay", "none"],
        ["replay", "one"],
        ["erase", "towns", "--query-id", "q1", "--by", "ada", "--reason", "she asked"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_told_in_one_line(call, capsys):
    assert main(call) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["why", "malls", "q1", "--at", "yesterday"], "value for '--at': 'yesterday' is no time; give ISO 8601"),
        (["runs", "malls", "--limit", "few"], "value for '--limit': Input should be a valid integer"),
        (["erase", "malls", "--by", "ada", "--reason", "x"], "neither --query-id nor --reference-id is given"),
        (
            ["erase", "malls", "--query-id", "a", "--reference-id", "b", "--by", "ada", "--reason", "x"],
            "--query-id and --reference-id are both given",
        ),
        (["approve", "malls", "sha256:x"], "Missing option '--by'"),
        (["forget"], "No such command 'forget'; see python -m tasks.warehouse --help"),
        ([], "Missing command; see python -m tasks.warehouse --help"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(call, message, capsys):
    assert main(call) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert message in told.err


@pytest.mark.usefixtures("replaced")
def test_an_id_may_begin_with_a_minus(capsys):
    assert main(["why", "malls", "-5"]) == 1
    assert "Query -5 of pipeline malls had no match" in capsys.readouterr().out


@pytest.mark.usefixtures("replaced")
def test_an_error_is_one_line(capsys):
    assert main(["changes", "one", "none"]) == 1
    assert capsys.readouterr().err == "error: run 'none' does not exist; compare runs that succeeded\n"


def test_a_warehouse_without_tables_is_told_how_to_get_them(empty, monkeypatch, capsys):
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", empty.url.render_as_string(hide_password=False))
    assert main(["why", "malls", "q1"]) == 1
    assert "is it migrated? If not: python -m tasks.warehouse migrate" in capsys.readouterr().err


def test_migrate_makes_a_warehouse_from_nothing(tmp_path):
    environment = {"FUZZYJOIN_WAREHOUSE_URL": f"sqlite:///{tmp_path}/new.db", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "tasks.warehouse", "migrate"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == f"sqlite:///{tmp_path}/new.db has the newest tables and views\n"


def test_cells_do_nothing_to_the_terminal(replaced, capsys):
    evil = "\x1b]0;owned\x07\x9b2J\u202e\nQuery q1 was never joined."
    matches, unmatched = found(3)
    texts = {"query_text": f"a{evil}", "reference_text": f"b{evil}", "reference_id": f"r{evil}"}
    write(replaced, "three", matches.assign(**texts, runner_up_id=f"s{evil}"), unmatched, at=day(3))
    for command in (["why", "malls", "q1"], ["changes", "two", "three"], ["run", "three"], ["why", evil, "q1"]):
        main(command)
        told = capsys.readouterr()
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told.out + told.err)
    main(["why", "malls", "q1"])
    told = capsys.readouterr().out
    assert "joined to reference r\\x1b]0;owned" in told
    assert "Query q1 was never joined." not in told.splitlines()
