"""The program file: the same bytes for the same program, refused when it is not what it says."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest

from fuzzyjoin import DataError, JoinFunction, Program, learn_program
from fuzzyjoin.definition import (
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Definition,
    PrecisionEstimate,
    Scorer,
    Union,
)
from tests.cases import frame

REFERENCE = frame(
    [(1, "Grand Mall 2008"), (2, "Grand Mall 2009"), (3, "Lake Center"), (4, "東京タワー"), (5, "Кремль")]
)
QUERY = frame([(1, "the lake center"), (2, "東京 タワー"), (3, "grand mall 2008")])

WORDS = Configuration(join_function=JoinFunction("lower", "jaccard", "word", "idf"), threshold=0.1)
OWN = Configuration(join_function=CustomFunctionName(custom="sounds like"), threshold=3.0)


def definition(**changes):
    parts = {
        "columns": (Column(reference="title", query="name", weight=1.0),),
        "blocking": Blocking(k=7),
        "negative_rules": ("men/women", "да/нет"),
        "decision": Union(configurations=(WORDS, OWN)),
    }
    return Definition(**parts | changes)


SCORER = Scorer(name="trees", hash="sha256:abc", prior=0.9, threshold=0.5)
PROGRAMS = {
    "union": Program(definition=definition()),
    "scorer": Program(definition=definition(decision=SCORER, calibration={"kind": "isotonic", "cuts": [0.1, 0.5]})),
    "nothing": Program(definition=definition(decision=Union(configurations=()))),
    "own blocker": Program(definition=definition(blocking=Blocking(method="by hand"))),
}


@pytest.fixture(scope="module")
def learned():
    return learn_program(REFERENCE, QUERY, "title", space="small", precision_target=0.6)


def changed(program, path, value):
    """The program's JSON with one value changed; `path` leads to it."""
    content = json.loads(program.to_json())
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_read_back_is_the_same(name):
    program = PROGRAMS[name]
    again = Program.from_json(program.to_json())
    assert again == program
    assert again.to_json() == program.to_json()
    assert again.program_id == program.program_id


def test_a_learned_program_saved_and_loaded_is_the_same(learned, tmp_path):
    path = tmp_path / "program.json"
    learned.save(path)
    assert Program.load(path) == learned
    assert Program.load(str(path)).learning_record == learned.learning_record
    learned.save(tmp_path / "again.json")
    assert path.read_bytes() == (tmp_path / "again.json").read_bytes()
    assert b"\r" not in path.read_bytes()


def test_the_file_has_its_three_parts(learned):
    content = json.loads(learned.to_json())
    assert list(content) == ["schema_version", "program_id", "program", "learning_record"]
    assert content["schema_version"] == 2
    assert list(content["program"]) == ["columns", "blocking", "negative_rules", "decision", "calibration"]
    assert content["program"]["columns"] == [{"reference": "title", "query": "title", "weight": 1.0}]
    assert content["program"]["blocking"] == {"method": "lexical", "k": 2, "equal_rows": "merged"}
    assert content["program"]["negative_rules"] == ["2008/2009"]
    assert content["program"]["decision"]["kind"] == "union"
    assert content["program"]["calibration"] is None
    estimate = content["learning_record"]["precision_estimate"]
    assert set(estimate) == {"value", "low", "high", "level", "calibrated"}
    assert (estimate["low"], estimate["calibrated"]) == (None, False)


def test_text_of_any_script_is_readable_in_the_file():
    assert '"да/нет"' in PROGRAMS["union"].to_json()


def test_the_learning_record_says_what_it_was_learned_on(learned):
    record = learned.learning_record
    assert (record.method, record.space, record.join_functions, record.precision_target) == ("auto", "small", 14, 0.6)
    assert (record.reference.rows, record.query.rows) == (5, 3)
    assert record.reference.distinct_keys == 5
    assert record.reference.filled == (1.0,)
    assert record.query.median_length == (15.0,)
    assert record.precision_estimate.value > 0.6
    assert record.joined == 3
    assert {"python", "numba", "rapidfuzz", "machine"} <= set(record.versions)


CHANGES = {
    "a column": {"columns": (Column(reference="title", query="title", weight=1.0),)},
    "a weight": {
        "columns": (
            Column(reference="title", query="name", weight=0.5),
            Column(reference="city", query="city", weight=0.5),
        )
    },
    "k": {"blocking": Blocking(k=8)},
    "the blocker": {"blocking": Blocking(method="by hand")},
    "a rule": {"negative_rules": ("men/women",)},
    "a threshold": {
        "decision": Union(
            configurations=(Configuration(join_function=WORDS.join_function, threshold=0.1 + 2**-56), OWN)
        )
    },
    "a function": {
        "decision": Union(
            configurations=(
                Configuration(join_function=JoinFunction("lower", "dice", "word", "idf"), threshold=0.1),
                OWN,
            )
        )
    },
    "the order of configurations": {"decision": Union(configurations=(OWN, WORDS))},
    "the decision": {"decision": SCORER},
    "the calibration": {"calibration": {}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_id_changes_with_the_definition(name):
    assert Program(definition=definition(**CHANGES[name])).program_id != PROGRAMS["union"].program_id


def test_all_changes_give_ids_of_their_own():
    ids = {Program(definition=definition(**change)).program_id for change in CHANGES.values()}
    assert len(ids) == len(CHANGES)


def test_the_id_does_not_change_with_the_learning_record(learned):
    assert Program(definition=learned.definition).program_id == learned.program_id
    assert Program(definition=copy.deepcopy(learned.definition)).program_id == learned.program_id
    other = learn_program(REFERENCE, QUERY, "title", space="small", precision_target=0.61)
    assert other.learning_record != learned.learning_record
    assert (other.program_id == learned.program_id) == (other.definition == learned.definition)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_id_is_the_hash_of_the_files_program_part(name):
    content = json.loads(PROGRAMS[name].to_json())
    canonical = json.dumps(content["program"], sort_keys=True, separators=(",", ":")).encode()
    assert content["program_id"] == f"sha256:{hashlib.sha256(canonical).hexdigest()}"


@pytest.mark.parametrize(
    ("schema_version", "expected"),
    [
        (1, "sha256:6098b7273f32525604b494c343069dc73961e981d69015521712819af61d5dd5"),
        (2, "sha256:257282622f54397d16965810c5e154fadee5582a4ec14439e90f57aef4ea86b6"),
    ],
)
def test_an_id_stays_what_it_was(schema_version, expected):
    """Stored ids must name the same programs in every later version."""
    assert PROGRAMS["scorer"].model_copy(update={"schema_version": schema_version}).program_id == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_order_of_keys_in_the_file_does_not_matter(name):
    content = json.loads(PROGRAMS[name].to_json())
    content["program"] = dict(reversed(content["program"].items()))
    assert Program.from_json(json.dumps(content)) == PROGRAMS[name]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("program", "decision", "configurations", 0, "threshold"), 0.9),
        (("program", "decision", "configurations", 0, "join_function", "distance"), "dice"),
        (("program", "decision", "configurations"), []),
        (("program", "negative_rules"), []),
        (("program", "blocking", "k"), 3),
        (("program", "columns", 0, "query"), "city"),
        (("program", "calibration"), {"a": 1}),
        (("program_id",), "sha256:0"),
        (("program_id",), None),
    ],
)
def test_a_tampered_file_is_refused(learned, path, value):
    with pytest.raises(DataError, match="changed after it was learned: restore the original or learn it again"):
        Program.from_json(changed(learned, path, value))


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("program",), None, "definition"),
        (("program", "columns"), [], "definition.columns"),
        (("program", "columns", 0, "weight"), 1.5, "definition.columns.0.weight"),
        (("program", "columns", 0, "wieght"), 1.0, "definition.columns.0.wieght"),
        (("program", "blocking", "k"), 0, "definition.blocking"),
        (("program", "blocking", "k"), None, "definition.blocking"),
        (("program", "blocking", "method"), "by hand", "definition.blocking"),
        (("program", "negative_rules", 0), "one", "definition.negative_rules.0"),
        (("program", "decision", "kind"), "oracle", "definition.decision"),
        (("program", "decision", "configurations", 0, "threshold"), -0.1, "definition.decision"),
        (("program", "decision", "configurations", 0, "threshold"), float("nan"), "definition.decision"),
        (("program", "decision", "configurations", 0, "threshold"), float("inf"), "definition.decision"),
        (("program", "decision", "configurations", 0, "join_function", "distance"), "hamming", "definition.decision"),
        (("program", "decision", "configurations", 0, "join_function", "preproces"), "x", "definition.decision"),
        (("program", "decision", "configurations", 0, "join_function"), "lower/edit", "definition.decision"),
        (("program", "pickle"), "x", "definition.pickle"),
        (("learning_record", "joined"), "many", "learning_record.joined"),
    ],
)
def test_what_makes_no_program_is_refused_with_its_place(learned, path, value, place):
    with pytest.raises(DataError, match=f"^there.json is not a valid program: {place}") as caught:
        Program.from_json(changed(learned, path, value), source="there.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p is not JSON .line 1"),
        ("{\n,}", "p is not JSON .line 2"),
        ("[]", "p is JSON but no program"),
        ("7", "p is JSON but no program"),
        ("{}", "p is JSON but no program: it has no schema_version"),
        (
            '{"schema_version": 3}',
            "p has schema_version 3, this version reads 1 and 2; learn it again or use the version",
        ),
        ('{"schema_version": 0}', "p has schema_version 0, this version reads 1 and 2"),
        ('{"schema_version": "1"}', "p has schema_version '1', this version reads 1 and 2"),
        ('{"schema_version": true}', "p has schema_version True, this version reads 1 and 2"),
        ('{"schema_version": 1.0}', "p has schema_version 1.0, this version reads 1 and 2"),
        ('{"schema_version": null}', "p has schema_version None, this version reads 1 and 2"),
        ('{"schema_version": 1}', "p is not a valid program: definition"),
        ('{"schema_version": 2}', "p is not a valid program: definition"),
        ('{"schema_version": 1, "program": [], "learning_record": {"estimates": []}}', "p is not a valid program"),
    ],
)
def test_what_is_no_program_file_is_refused(text, message):
    with pytest.raises(DataError, match=f"^{message}"):
        Program.from_json(text, source="p")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    latin = tmp_path / "latin.json"
    latin.write_bytes("é".encode("latin-1"))
    for path in (tmp_path / "missing.json", tmp_path, latin):
        with pytest.raises(DataError, match=f"^{path} cannot be read: "):
            Program.load(path)


def test_a_program_is_immutable(learned):
    with pytest.raises(ValueError, match="frozen"):
        learned.definition.blocking.k = 3
    with pytest.raises(ValueError, match="frozen"):
        learned.definition = PROGRAMS["union"].definition


def test_a_program_that_joins_nothing_is_unreachable():
    assert not PROGRAMS["nothing"].reachable
    assert PROGRAMS["union"].reachable
    assert PROGRAMS["scorer"].reachable


def test_without_a_learning_record_there_is_no_estimate():
    assert PROGRAMS["union"].precision_estimate == PrecisionEstimate()
    assert PROGRAMS["union"].precision_estimate.value is None


def test_a_program_in_words_names_what_decides():
    union = PROGRAMS["union"].explain()
    assert PROGRAMS["union"].program_id in union
    for part in (
        "title with name",
        "7 reference rows",
        "men/women",
        "lower/word/idf/jaccard <= 0.1",
        "sounds like <= 3",
    ):
        assert part in union
    assert "trees" in PROGRAMS["scorer"].explain()
    assert "Joins nothing" in PROGRAMS["nothing"].explain()
    assert "by hand" in PROGRAMS["own blocker"].explain()
