"""A labelled audit is drawn from a run's snapshots, recorded with it beside its estimate, and holds no values."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fuzzyjoin import AuditLabels, DataError, Program, draw_audit, measure_audit
from tasks.warehouse import schema
from tasks.warehouse.__main__ import main
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.erasure import Subject, erase
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.labelled_audits import draw_for_run, record_audit
from tasks.warehouse.migrations import migrate_down, migrate_up
from tasks.warehouse.run_audit import audit_run
from tests.tasks.warehouse.cases import START, day, match_rows, prepare, program, rows
from tests.tasks.warehouse.people import QUERY, REFERENCE, USING, run

NAMES = ("Grace", "grace", "Lovelace", "Byron", "Knuth", "Hopper")


@pytest.fixture
def filled(warehouse, tmp_path):
    prepare(warehouse)
    assert run(warehouse, tmp_path).opened == 2
    return warehouse


def draw(engine, folder, run_id="one", **changed):
    return draw_for_run(engine, run_id, folder, **({"from_matches": 10, "from_near_misses": 10, "seed": 0} | changed))


def labels_of(design, *, wrong=(), missing=()):
    labels = tuple(
        None if pair.query_id in missing else "no" if pair.query_id in wrong else "yes" for pair in design.pairs
    )
    return AuditLabels(labels=labels, notes=tuple(f"a note on {pair.query_id}" for pair in design.pairs))


def record(engine, design, labels, *, by="ada", at=START + timedelta(days=1)):
    with writing(engine) as connection:
        return record_audit(connection, design, labels, by=by, at=at)


def audits(engine):
    return rows(engine, schema.labelled_audits, schema.labelled_audits.c.recorded_at)


def told(engine, run_id="one"):
    with reading(engine) as connection:
        return audit_run(connection, run_id)


def test_the_sample_is_that_of_the_tables_that_the_run_read(filled, tmp_path):
    before = match_rows(filled)
    sample = draw(filled, tmp_path)
    found = USING.apply(REFERENCE, QUERY, id=("code", "id"))
    expected = draw_audit(
        USING,
        REFERENCE,
        QUERY,
        found.matches,
        found.unmatched,
        id=("code", "id"),
        precision_estimate=found.precision_estimate,
        run_id="one",
    )
    assert sample.design == expected.design
    assert sample.sheet.equals(expected.sheet)
    assert {pair.query_id for pair in sample.design.pairs if pair.population == "match"} == {"q1", "q2"}
    assert match_rows(filled) == before


def of_two_configurations():
    """A program whose configurations join query rows to different reference rows."""
    content = program(0.95).model_dump(mode="json")
    first = content["definition"]["decision"]["configurations"][0]
    second = first | {"join_function": first["join_function"] | {"tokenise": "word", "distance": "max-inclusion"}}
    content["definition"]["decision"]["configurations"] = [first, second]
    return Program.model_validate(content)


def test_the_estimate_beside_the_labels_is_that_of_the_join_and_not_the_mean_of_the_probabilities(filled, tmp_path):
    using, query = of_two_configurations(), QUERY.assign(name=["grace hopper", "ada turing", "edsger lovelace"])
    run(filled, tmp_path, "two", query=query, using=using, at=day(1))
    found = using.apply(REFERENCE, query, id=("code", "id"))
    design = draw(filled, tmp_path, "two").design
    assert design.precision_estimate.value == found.precision_estimate.value == 0.5
    assert found.matches["precision_estimate"].mean() == pytest.approx(2 / 3)
    files = draw_audit(using, REFERENCE, query, found.matches, found.unmatched, id=("code", "id")).design
    assert files.precision_estimate == design.precision_estimate


def test_a_later_run_does_not_change_what_is_drawn_of_an_earlier(filled, tmp_path):
    before = draw(filled, tmp_path).design
    run(filled, tmp_path, "two", query=QUERY.assign(name=["x y z", "Ada Lovelace", "Edsger Dijkstra"]), at=day(1))
    assert draw(filled, tmp_path).design == before
    assert draw(filled, tmp_path, "two").design != before


def test_a_run_that_comes_out_otherwise_is_not_sampled(warehouse, tmp_path):
    prepare(warehouse)
    run(warehouse, tmp_path, reference_id=["r3", "r2"])
    with pytest.raises(WarehouseError, match=r"1 of 3 query rows, such as 'q1', are decided otherwise now"):
        draw(warehouse, tmp_path)


def test_a_run_without_snapshots_is_not_sampled(filled, tmp_path):
    for path in tmp_path.glob("*.parquet"):
        path.unlink()
    with pytest.raises(DataError, match="is gone"):
        draw(filled, tmp_path)


def test_the_record_has_labels_and_figures(filled, tmp_path):
    design = draw(filled, tmp_path).design
    labels = labels_of(design, wrong={"q2"})
    audit_id, report = record(filled, design, labels)
    assert report == measure_audit(design, labels)
    (row,) = audits(filled)
    assert (row["audit_id"], row["run_id"], row["program_id"]) == (audit_id, "one", USING.program_id)
    assert (row["labelled_by"], row["recorded_at"]) == ("ada", day(1))
    assert (row["precision"], row["precision_low"], row["precision_high"]) == (0.5, 0.5, 0.5)
    assert (row["recall"], row["recall_low"], row["recall_high"]) == (
        report.recall.value,
        report.recall.low,
        report.recall.high,
    )
    assert (row["level"], row["pairs"], row["unsure"], row["unlabelled"]) == (0.9, len(design.pairs), 0, 0)
    assert row["labels_needed"] == report.labels_needed
    kept = {(pair["query_id"], pair["reference_id"]): pair["label"] for pair in json.loads(row["labels"])}
    assert kept == {
        (pair.query_id, pair.reference_id): label for pair, label in zip(design.pairs, labels.labels, strict=True)
    }
    assert json.loads(row["design"])["matches"] == design.matches.model_dump(mode="json")


def test_no_value_no_note_and_no_hash_of_a_value_is_stored(filled, tmp_path):
    design = draw(filled, tmp_path).design
    audit_id, _ = record(filled, design, labels_of(design))
    stored = str(audits(filled))
    assert audit_id in stored
    for word in (*NAMES, "a note", *(pair.shown for pair in design.pairs), design.design_id):
        assert word not in stored


def test_the_newest_audit_stands_beside_the_estimate_of_its_run(filled, tmp_path):
    run(filled, tmp_path, "two", query=QUERY.assign(name=["grace hopper", "Ada Lovelace", "Donald Knuth"]), at=day(1))
    assert told(filled).measured_precision is None
    assert "Measured" not in told(filled).in_words()
    design = draw(filled, tmp_path).design
    record(filled, design, labels_of(design, wrong={"q1", "q2"}), at=day(2))
    record(filled, design, labels_of(design, wrong={"q2"}), at=day(3))
    found = told(filled)
    assert (found.measured_precision, found.measured_by, found.measured_at) == (0.5, "ada", day(3))
    assert found.precision_estimate == 0.93
    assert ", estimated precision 0.93 (0.90 to 0.96), measured precision 0.5  (" in found.line()
    assert "measured" not in told(filled, "two").line()
    words = found.in_words()
    assert (
        "Precision estimate 0.93 (0.9 to 0.96 at level 0.95).\nMeasured precision 0.5 (0.5 to 0.5), recall at most"
        in words
    )
    assert f"at level 0.9, by labels of ada, recorded {day(3).isoformat()}." in words
    assert told(filled, "two").measured_precision is None


def test_runs_and_programs_are_not_changed_by_labels(filled, tmp_path):
    design = draw(filled, tmp_path).design
    tables = [schema.runs, schema.programs, schema.learning_records, schema.matches, schema.pipelines, schema.decisions]
    before = [rows(filled, table) for table in tables]
    record(filled, design, labels_of(design, wrong={"q1", "q2"}))
    assert [rows(filled, table) for table in tables] == before


def test_partly_labelled_pairs_are_recorded_as_they_are(filled, tmp_path):
    design = draw(filled, tmp_path).design
    record(filled, design, labels_of(design, missing={"q1"}))
    (row,) = audits(filled)
    assert row["unlabelled"] == 1
    assert (row["precision"], row["precision_low"], row["precision_high"]) == (1.0, 0.5, 1.0)


def test_the_same_labels_are_recorded_once_a_person(filled, tmp_path):
    design = draw(filled, tmp_path).design
    audit_id, _ = record(filled, design, labels_of(design))
    with pytest.raises(WarehouseError, match=f"on record already, as {audit_id} of 2026-03-02") as caught:
        record(filled, design, labels_of(design), at=day(2))
    assert caught.value.exit_code == 1
    other, _ = record(filled, design, labels_of(design), by="grace", at=day(2))
    more, _ = record(filled, design, labels_of(design, wrong={"q1"}), at=day(3))
    assert len({audit_id, other, more}) == len(audits(filled)) == 3


def test_what_does_not_belong_to_a_run_is_refused(filled, tmp_path):
    design = draw(filled, tmp_path).design
    for changed, by, words in (
        ({"run_id": None}, "ada", "drawn from files"),
        ({"run_id": "none"}, "ada", "run 'none' does not exist"),
        ({"program_id": "sha256:other"}, "ada", "the design is of program sha256:other"),
        ({}, "", "by is empty"),
    ):
        with pytest.raises(WarehouseError, match=words):
            record(filled, design.model_copy(update=changed), labels_of(design), by=by)
    with pytest.raises(DataError, match="no pair is labelled"):
        record(filled, design, labels_of(design, missing={"q1", "q2", "q3"}))
    assert audits(filled) == []


def test_an_erasure_leaves_ids_and_labels_and_there_are_no_values_to_remove(filled, tmp_path):
    design = draw(filled, tmp_path).design
    record(filled, design, labels_of(design))
    before = audits(filled)
    erase(filled, "malls", Subject("query", "q2"), tmp_path, by="ada", reason="she asked", at=day(2))
    assert audits(filled) == before
    with pytest.raises(WarehouseError, match="was erased by ada"):
        draw(filled, tmp_path)
    assert not any(name in str(audits(filled)) for name in NAMES)


@pytest.mark.parametrize("statement", [sa.update, sa.delete])
def test_an_audit_cannot_be_rewritten(filled, tmp_path, statement):
    if filled.dialect.name == "duckdb":
        pytest.skip("DuckDB has no triggers")
    design = draw(filled, tmp_path).design
    record(filled, design, labels_of(design))
    change = statement(schema.labelled_audits)
    if change.is_update:
        change = change.values(precision=1.0)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing(filled) as connection:
        connection.execute(change)


def test_the_third_revision_keeps_what_is_there_down_and_up(filled, tmp_path):
    design = draw(filled, tmp_path).design
    record(filled, design, labels_of(design))
    before, told_before = rows(filled, schema.runs), told(filled)
    migrate_down(filled, revision="0002")
    with reading(filled) as connection:
        kept = connection.execute(sa.text("SELECT run_id, precision_estimate, matches_current FROM fuzzyjoin_runs"))
        assert [row._asdict().items() <= old.items() for row, old in zip(kept, before, strict=True)] == [True]
    with reading(filled) as connection:
        (row,) = connection.execute(sa.text("SELECT * FROM fuzzyjoin_run_audit")).mappings()
    assert row["run_id"] == "one"
    assert "measured_precision" not in row
    migrate_up(filled)
    assert rows(filled, schema.runs) == before
    assert audits(filled) == []
    assert told(filled).in_words() == "\n".join(
        line for line in told_before.in_words().splitlines() if not line.startswith("Measured")
    )


def test_the_commands_draw_and_record(filled, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", filled.url.render_as_string(hide_password=False))
    sheet, design = tmp_path / "sheet.csv", tmp_path / "design.json"
    nearly = QUERY.assign(name=["grace hopper", "Ada Lovelace Byron", "Alan Kay"])
    run(filled, tmp_path, "two", query=nearly, at=day(1))
    command = ["audit-draw", "two", "-o", str(sheet), "--design-out", str(design), "--snapshots", str(tmp_path)]
    assert main(command) == 0
    assert "Drew 3 pairs of run two" in capsys.readouterr().out
    text = sheet.read_text(encoding="utf-8-sig")
    assert "[name] Ada Lovelace Byron" in text
    assert main(["audit-record", str(sheet), str(design), "--by", "ada"]) == 1
    assert "no pair is labelled yet" in capsys.readouterr().err
    sheet.write_text(text.replace('"",""', '"yes",""'), encoding="utf-8-sig")
    assert main(["audit-record", str(sheet), str(design), "--by", "ada"]) == 0
    said = capsys.readouterr().out
    assert "precision  1.000, between 1.000 and 1.000" in said
    assert "On record with run two as sha256:" in said
    assert main(["run", "two"]) == 0
    assert (
        "Measured precision 1 (1 to 1), recall at most 0.6667 (0.6667 to 0.6667) at level 0.9"
        in capsys.readouterr().out
    )
    more = [*command[:3], str(tmp_path / "more.csv"), *command[4:5], str(tmp_path / "more.json"), *command[6:]]
    assert main([*more, "--earlier", str(sheet), str(design), "--show", "note"]) == 0
    shown = (tmp_path / "more.csv").read_text(encoding="utf-8-sig")
    assert "[name] Alan Kay [note] z" in shown
    assert '"yes"' not in shown
    assert main([*more, "--earlier", str(sheet), str(design)]) == 0
    assert '"yes"' in (tmp_path / "more.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["audit-draw", "none", "-o", "s.csv", "--design-out", "d.json"], 1, "run 'none' does not exist"),
        (["audit-draw", "one", "-o", "s.txt", "--design-out", "d.json"], 2, "ends in .csv"),
        (["audit-draw", "one", "-o", "s.csv", "--design-out", "s.csv"], 2, "as two outputs"),
        (["audit-draw", "one", "-o", "s.csv", "--design-out", "d.json", "--from-matches", "0"], 2, "from_matches is 0"),
        (["audit-record", "none.csv", "none.json", "--by", "ada"], 1, "none.json cannot be read"),
    ],
)
def test_bad_calls_are_one_line_and_write_nothing(  # noqa: PLR0917 - fixtures
    filled, tmp_path, monkeypatch, capsys, arguments, code, words
):
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", filled.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    (tmp_path / "snapshots").symlink_to(tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list((tmp_path / "here").iterdir()) == []
