"""Files named by their content: whole or not there, and noticed when they were changed."""

import errno
import shutil
from pathlib import Path

import pytest

from fuzzyjoin.errors import DataError, UsageError
from tasks.storage import FileHandle, checked, delete_saved_work, snapshot_folder, storage_folder, store


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    return tmp_path / "storage"


def write(text):
    return lambda path: path.write_text(text, encoding="utf-8")


def test_a_file_is_found_again_under_its_contents_name(storage):
    handle = store("programs", ".json", write("{}"))
    assert checked(handle).read_text("utf-8") == "{}"
    assert checked(handle).parent == storage / "programs"
    assert handle == store("programs", ".json", write("{}"))
    assert [path.name for path in (storage / "programs").iterdir()] == [checked(handle).name]


def test_a_failed_write_leaves_nothing_behind(storage):
    def fail(path):
        path.write_text("half", encoding="utf-8")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store("programs", ".json", fail)
    assert list((storage / "programs").iterdir()) == []


def test_a_changed_file_is_refused():
    handle = store("programs", ".json", write("{}"))
    checked(handle).write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="was changed after it was written"):
        checked(handle)


def test_a_missing_file_is_said_with_its_remedy():
    handle = store("programs", ".json", write("{}"))
    checked(handle).unlink()
    with pytest.raises(DataError, match=r"is gone.*Run again"):
        checked(handle)


def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"FUZZYJOIN_STORAGE: .* cannot be written to"):
        store("programs", ".json", write("{}"))


def test_without_a_setting_the_folder_is_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("FUZZYJOIN_STORAGE")
    monkeypatch.chdir(tmp_path)
    assert storage_folder() == tmp_path.resolve() / "fuzzyjoin-storage"
    assert snapshot_folder() == storage_folder() / "snapshots"


def test_handles_survive_json():
    handle = store("programs", ".json", write("{}"))
    assert FileHandle.model_validate_json(handle.model_dump_json()) == handle


def test_an_index_that_is_deleted_leaves_its_place_at_once(storage, monkeypatch):
    index = storage / "indexes" / "of_a_table"
    index.mkdir(parents=True)
    (index / "manifest.json").touch()

    def killed(_path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            delete_saved_work()
    assert not index.exists()
    assert delete_saved_work() == 1
    assert list((storage / "indexes").iterdir()) == []


def test_what_cannot_be_deleted_is_named_after_all_else_is_deleted(storage, monkeypatch):
    for kind in ("results", "indexes", "parts"):
        (storage / kind).mkdir(parents=True)
        for name in ("a", "b"):
            (storage / kind / name).touch()
    delete = Path.unlink

    def refuse(path, **options):
        if path.name == "a":
            raise PermissionError(errno.EACCES, "Permission denied")
        delete(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(DataError) as caught:
            delete_saved_work()
    assert str(caught.value) == (
        f"{storage}/results/a: cannot be deleted (Permission denied), and 2 more; check the permissions of its folder "
        "and run again"
    )
    assert {path.name for path in storage.glob("*/*")} == {"a"}
    assert delete_saved_work() == 3


def test_a_folder_that_cannot_be_looked_into_is_named(storage):
    storage.mkdir()
    (storage / "results").write_text("no folder")
    with pytest.raises(DataError, match=rf"^{storage}/results: cannot be looked into \(Not a directory\); "):
        delete_saved_work()
