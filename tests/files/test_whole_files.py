"""Every file that is written under a name appears whole: a full disk, or a process that dies, leaves the old one."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzyjoin import DataError, Program, block_tables, draw_audit, fuzzy_join
from fuzzyjoin.files import outputs
from tests.cases import example

FULL_DISK = """
import resource, signal, sys
from fuzzyjoin import DataError
from tests.files.test_whole_files import WRITERS, written_things
things = written_things()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for name, path in zip(WRITERS, sys.argv[1:]):
    try:
        WRITERS[name](things, path)
    except DataError as error:
        print(error)
"""

WRITERS = {
    "program": lambda things, path: things["result"].program.save(path),
    "design": lambda things, path: things["sample"].design.save(path),
    "pairs": lambda things, path: things["pairs"].save(Path(path)),
}


def written_things():
    """What has a `save`, of the shopping malls."""
    reference, query, _ = example("ShoppingMall")
    result = fuzzy_join(reference, query, "title", space="small")
    return {
        "result": result,
        "sample": draw_audit(result.program, reference, query, result.matches, result.unmatched),
        "pairs": block_tables(reference, query, "title", space="small"),
    }


@pytest.fixture(scope="module")
def things():
    return written_things()


def test_a_full_disk_leaves_the_old_files_and_nothing_else(tmp_path):
    paths = [tmp_path / name for name in WRITERS]
    for path in paths:
        path.write_text("what was there")
    command = [sys.executable, "-c", FULL_DISK, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"cannot be written \(.*File too large\); nothing was changed", done.stdout)) == len(paths)
    assert {path.read_text() for path in paths} == {"what was there"}
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_renamed_into_place_is_on_disk_before(things, tmp_path, monkeypatch, writer):
    seen = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(descriptor):
        seen.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        sync(descriptor)

    def noted_replace(path, target):
        seen.append(("rename", str(path)))
        return replace(path, target)

    monkeypatch.setattr(outputs.os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    WRITERS[writer](things, str(tmp_path / "file"))
    (synced, written), (renamed, source), (last, folder) = seen
    assert (synced, renamed, last) == ("sync", "rename", "sync")
    assert written == source
    assert Path(source).parent == Path(folder) == tmp_path


@pytest.mark.parametrize("writer", WRITERS)
def test_permissions_of_a_file_and_links_to_it_stay(things, tmp_path, writer):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    WRITERS[writer](things, str(link))
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_size > 100


def test_a_program_goes_into_a_pipe_as_before(things):
    program = things["result"].program
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as pipe:
        program.save(f"/dev/fd/{writing}")
        os.close(writing)
        assert Program.from_json(pipe.read()) == program


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_is_not_there_is_named(things, tmp_path, writer):
    with pytest.raises(DataError, match=r"the folder .*absent' does not exist; make it first"):
        WRITERS[writer](things, str(tmp_path / "absent" / "file"))
