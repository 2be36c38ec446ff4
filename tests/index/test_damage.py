"""A damaged index is noticed when it is opened, before a kernel walks with it; all of it is read on demand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin import Matcher, index_reference, learn_program, update_index, verify_index
from fuzzyjoin.cli import app
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.index import folder as index_module
from fuzzyjoin.index import remove_index
from fuzzyjoin.index.array_files import file_records
from fuzzyjoin.index.folder import _read_manifest, _write_manifest
from tests.cases import frame, random_tables

MANGLES = 40


@pytest.fixture(scope="module", params=["auto", "autofj"])
def joined(request, tmp_path_factory):
    """A program that joins something, a query table, and the index of a reference table of two columns."""
    reference, query = random_tables(11, columns=2, references=60, queries=40)
    names = ["name", "place"]
    reference, query = frame(reference, names), frame(query, names)
    program = learn_program(reference, query, on=names, method=request.param, precision_target=0.5)
    return reference, query, program, index_reference(program, reference, tmp_path_factory.mktemp("indexes"))


@pytest.fixture
def copy(joined, tmp_path):
    """A copy of the index, to be damaged."""
    return Path(shutil.copytree(joined[3], tmp_path / joined[3].name))


def arrays(path):
    return sorted(path.glob("*.npy"))


def emptied(file):
    file.write_bytes(b"")


def zeroed(file):
    file.write_bytes(bytes(file.stat().st_size))


def zeroed_behind_the_header(file):
    array = np.load(file)
    if not array.any():
        pytest.skip("holds nothing but zeros")
    np.save(file, np.zeros_like(array))


def cut_off(file):
    file.write_bytes(file.read_bytes()[:-1])


def longer(file):
    file.write_bytes(file.read_bytes() + b"\0")


def one_byte_changed(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def of_another_dtype(file):
    array = np.load(file)
    np.save(file, array.view(np.int8) if array.size else array.astype(np.complex64))


def removed(file):
    file.unlink()


DAMAGES = [emptied, zeroed, zeroed_behind_the_header, cut_off, longer, one_byte_changed, of_another_dtype, removed]


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in range(1, len(DAMAGES)))])
def test_damage_to_any_file_is_noticed_when_an_index_is_opened(joined, copy, turn):
    """At each turn every file has another of the damages, so that all files have had all."""
    for place, file in enumerate(arrays(copy), start=turn):
        damage = DAMAGES[place % len(DAMAGES)]
        content, array = file.read_bytes(), np.load(file)
        if array.size == 0 and damage in (one_byte_changed, of_another_dtype):
            continue
        if damage is zeroed_behind_the_header and not array.any():
            continue
        damage(file)
        with pytest.raises(DataError, match=r"cannot be read as an index \(.*\); remove it and build it again"):
            Matcher.open(copy, joined[2])
        file.write_bytes(content)
    assert len(Matcher.open(copy, joined[2]).lookup(joined[1]).matches)


def test_two_files_that_were_swapped_are_noticed(joined, copy):
    first, second = copy / "table-columns-0-content.npy", copy / "table-columns-1-content.npy"
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an index"):
        Matcher.open(copy, joined[2])


def test_a_manifest_that_was_changed_is_noticed(joined, copy):
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"id_column": "id"', '"id_column": "no"'))
    with pytest.raises(DataError, match=r"cannot be read as an index \(manifest.json was changed\)"):
        Matcher.open(copy, joined[2])


def resigned(path, change):
    """Change an array and let the manifest agree, as an attacker would, who knows the code."""
    content = _read_manifest(path)
    change()
    content["files"] = file_records(path)
    _write_manifest(path, content)


WRONG = {
    "row offset past the end": ("index-words-reference-indptr", lambda a: a.__setitem__(3, 10**9)),
    "offset that goes back": ("index-grams-reference-indptr", lambda a: a.__setitem__(5, a[4] - 1)),
    "token outside the vocabulary": ("index-words-reference-ids", lambda a: a.__setitem__(0, 10**6)),
    "negative token": ("index-grams-reference-ids", lambda a: a.__setitem__(0, -1)),
    "token twice in a row": ("index-grams-reference-ids", lambda a: a.__setitem__(1, a[0])),
    "place outside the block": ("index-lists-postings", lambda a: a.__setitem__(0, 65535)),
    "token of a row": ("index-lists-row_tokens", lambda a: a.__setitem__(0, 10**6)),
    "row that is not there": ("index-lists-order", lambda a: a.__setitem__(0, a.size)),
    "slot that names no word": ("index-words-vocabulary-table", lambda a: a.__setitem__(0, 10**6)),
    "no free slot": ("index-words-vocabulary-table", lambda a: a.__setitem__(slice(None), 0)),
    "list past the end": ("index-lists-list_starts", lambda a: a.__setitem__(7, 10**9)),
    "scale that is no number": ("index-lists-scales", lambda a: a.__setitem__(0, np.nan)),
    "frequency past the rows": ("index-words-frequency", lambda a: a.__setitem__(0, 10**9)),
    "text past the end": ("columns-0-lower-offsets", lambda a: a.__setitem__(2, 10**9)),
    "text that is no UTF-8": ("columns-0-raw-content", lambda a: a.__setitem__(0, 255)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_positions_that_lead_out_of_an_array_are_noticed_although_the_checksums_agree(joined, copy, wrong):
    name, change = WRONG[wrong]
    file = copy / f"{name}.npy"
    array = np.load(file)
    change(array)
    resigned(copy, lambda: np.save(file, array))
    with pytest.raises(DataError, match="cannot be read as an index"):
        Matcher.open(copy, joined[2])


WRONG_FOR_A_SCORER = {
    "pair of words that are not there": ("discriminative_tokens-opposites", np.iinfo(np.uint64).max),
    "length past the text": ("forms-texts-lengths", np.iinfo(np.int64).max),
    "IDF that is no number": ("forms-idf-0", np.nan),
    "distance that is no number": ("nearest_neighbours-0", np.nan),
    "norm that is no number": ("index-lists-group_norms", np.nan),
}


@pytest.mark.parametrize("joined", ["auto"], indirect=True)
@pytest.mark.parametrize("wrong", WRONG_FOR_A_SCORER)
def test_numbers_that_a_scorer_cannot_use_are_noticed(joined, copy, wrong):
    name, value = WRONG_FOR_A_SCORER[wrong]
    file = copy / f"{name}.npy"
    array = np.load(file)
    array.reshape(-1)[-1] = value
    resigned(copy, lambda: np.save(file, array))
    with pytest.raises(DataError, match=r"cannot be read as an index \(.*has numbers from"):
        Matcher.open(copy, joined[2])


def test_a_file_outside_the_folder_is_not_read(joined, copy):
    content = _read_manifest(copy)
    content["parts"]["blocking_texts"]["Texts"]["content"]["array"] = "../elsewhere.npy"
    content["files"]["../elsewhere.npy"] = {}
    _write_manifest(copy, content)
    with pytest.raises(DataError, match="is no file of it"):
        Matcher.open(copy, joined[2])


MANGLING = """
import sys, random, shutil, tempfile
from pathlib import Path
import numpy as np, pandas as pd
from fuzzyjoin import DataError, Matcher, Program
from tests.index.test_damage import arrays, resigned
index, program, query, mangles, seed = sys.argv[1:]
program, query = Program.load(program), pd.read_csv(query, dtype=str, keep_default_na=False)
draw = random.Random(int(seed))
refused = 0
for _ in range(int(mangles)):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copytree(index, Path(folder) / "index"))
        file = draw.choice([file for file in arrays(path) if np.load(file).size])
        array = np.load(file)
        flat = array.reshape(-1)
        raw = flat.view(np.uint8).reshape(flat.size, -1)
        for _ in range(draw.choice([1, 1, 5, flat.size])):
            raw[draw.randrange(flat.size)] = draw.choice([0, 1, 127, 128, 255])
        print(file.name, flush=True)
        resigned(path, lambda: np.save(file, array))
        try:
            Matcher.open(path, program).lookup(query)
        except DataError:
            refused += 1
print("refused", refused)
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6, 121])
def test_no_mangled_array_crashes_a_lookup(joined, seed, tmp_path):
    """Whatever stands in an array: the index is refused, or the rows are looked up; the process ends in order."""
    _, query, program, path = joined
    program.save(tmp_path / "program.json")
    query.to_csv(tmp_path / "query.csv", index=False)
    asked = [path, tmp_path / "program.json", tmp_path / "query.csv", MANGLES, seed]
    run = subprocess.run(
        [sys.executable, "-c", MANGLING, *map(str, asked)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, (run.returncode, run.stdout[-300:], run.stderr[-3000:])
    assert int(run.stdout.split()[-1]) > MANGLES // 2


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """An index with files so large that not all of them is read when it is opened."""
    names = [f"{word} {place} street {place * 7919 % 10007}" for place in range(1500) for word in ("north", "south")]
    reference = pd.DataFrame({"id": range(len(names)), "name": names})
    program = learn_program(reference[:60], reference[:20], on="name", method="autofj", precision_target=0.5)
    return reference, program, index_reference(program, reference, tmp_path_factory.mktemp("large"))


def test_what_opening_cannot_see_is_found_when_all_is_read(large, tmp_path):
    reference, program, path = large
    copy = Path(shutil.copytree(path, tmp_path / path.name))
    verify_index(copy, program)
    file = copy / "index-lists-row_tokens.npy"
    content = bytearray(file.read_bytes())
    assert len(content) > 1 << 17
    content[5000] ^= 1
    file.write_bytes(content)
    assert len(Matcher.open(copy, program).side.table) == len(reference)
    with pytest.raises(DataError, match=r"index-lists-row_tokens\.npy was changed"):
        verify_index(copy, program)


def test_the_command_line_reads_all_of_an_index_on_demand(joined, copy, tmp_path):
    joined[2].save(tmp_path / "program.json")
    asked = ["index", str(tmp_path / "program.json"), "--index", str(copy), "--verify"]
    assert CliRunner().invoke(app, asked).stdout == f"{copy}\n"
    one_byte_changed(copy / "index-lists-order.npy")
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 1
    assert "cannot be read as an index (index-lists-order.npy was changed); remove it and build it again" in " ".join(
        result.stderr.split()
    )
    result = CliRunner().invoke(app, [*asked, "--append", "more.csv"])
    assert result.exit_code == 2
    assert "or --verify to check" in result.stderr


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_large_file_that_is_damaged_as_a_whole_is_noticed(large, tmp_path, damage):
    _, program, path = large
    copy = Path(shutil.copytree(path, tmp_path / path.name))
    damage(copy / "index-lists-row_tokens.npy")
    with pytest.raises(DataError, match="cannot be read as an index"):
        Matcher.open(copy, program)


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_earlier_version_is_refused_and_built_again(joined, tmp_path, version):
    reference, query, program, path = joined
    content = _read_manifest(path)
    del content["files"]
    old = Path(shutil.copytree(path, tmp_path / ("0" * 32)))
    (old / "manifest.json").write_text(json.dumps({**content, "schema_version": version}))
    with pytest.raises(UsageError, match=f"has schema_version {version}, this version reads 3; build it again"):
        Matcher.open(old, program)
    built = index_reference(program, reference, tmp_path)
    assert built != old
    assert len(Matcher.open(built, program).lookup(query).matches)


def test_files_are_on_the_disk_before_the_index_is_in_its_place(joined, tmp_path, monkeypatch):
    reference, _, program, _ = joined
    events, fsync, rename = [], os.fsync, os.rename

    def syncing(descriptor):
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def renaming(source, target, **options):
        events.append(("renamed", Path(target).name))
        rename(source, target, **options)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "rename", renaming)
    path = index_reference(program, reference, tmp_path)
    before = events[: events.index(("renamed", path.name))]
    assert {file.name for file in path.iterdir()} <= set(before)
    assert path.name in before
    assert events[-1] == tmp_path.name


def test_a_completed_index_is_as_sound_as_one_that_is_built(tmp_path, monkeypatch):
    for holder in ("fuzzyjoin.compare", "fuzzyjoin.compare.features"):
        monkeypatch.setattr(f"{holder}.SAMPLE", 3)
    reference, query = random_tables(11, columns=1, references=60, queries=40)
    reference, query = frame(reference, ["name"]), frame(query, ["name"])
    program = learn_program(reference, query, on="name", precision_target=0.5)
    changed = update_index(index_reference(program, reference, tmp_path), program, delete=reference["id"][:2])
    before = {file.name for file in changed.iterdir()}
    verify_index(changed, program)
    assert index_reference(program, reference[2:], tmp_path) == changed
    verify_index(changed, program)
    assert {name.replace("some_", "") for name in before} == {file.name for file in changed.iterdir()}


def test_whoever_opens_an_index_while_it_is_completed_opens_it(joined, copy, monkeypatch):
    """The first look finds a manifest whose files are just gone."""
    looks, read = [], _read_manifest

    def stale(path):
        content = read(path)
        looks.append(path)
        if len(looks) == 1:
            content["files"] = {}
        return content

    monkeypatch.setattr(index_module, "_read_manifest", stale)
    assert Matcher.open(copy, joined[2]).side.table.rows_in_all == len(joined[0])
    assert len(looks) == 2


def test_a_folder_that_holds_something_else_is_not_taken_for_a_broken_index(joined, tmp_path):
    reference, _, program, path = joined
    place = tmp_path / path.name
    place.mkdir()
    (place / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match=r"is where an index belongs, but holds 'letter\.txt'; move that away"):
        index_reference(program, reference, tmp_path)
    assert (place / "letter.txt").read_text() == "dear"
    (place / "letter.txt").unlink()
    (place / "index-words.npy").touch()
    assert index_reference(program, reference, tmp_path) == place
    remove_index(place)
    assert list(tmp_path.iterdir()) == []
