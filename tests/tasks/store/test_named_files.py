"""Files named by their content: whole or not there, and noticed when they were changed."""

import pytest

from fuzzyjoin.errors import DataError, UsageError
from tasks.store.named_files import FileHandle, checked, store_file


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    return tmp_path / "storage"


def write(text):
    return lambda path: path.write_text(text, encoding="utf-8")


def test_a_file_is_found_again_under_its_contents_name(storage):
    handle = store_file("programs", ".json", write("{}"))
    assert checked(handle).read_text("utf-8") == "{}"
    assert checked(handle).parent == storage / "programs"
    assert handle == store_file("programs", ".json", write("{}"))
    assert [path.name for path in (storage / "programs").iterdir()] == [checked(handle).name]


def test_a_failed_write_leaves_nothing_behind(storage):
    def fail(path):
        path.write_text("half", encoding="utf-8")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store_file("programs", ".json", fail)
    assert list((storage / "programs").iterdir()) == []


def test_a_changed_file_is_refused():
    handle = store_file("programs", ".json", write("{}"))
    checked(handle).write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="was changed after it was written"):
        checked(handle)


def test_a_missing_file_is_said_with_its_remedy():
    handle = store_file("programs", ".json", write("{}"))
    checked(handle).unlink()
    with pytest.raises(DataError, match=r"is gone.*Run again"):
        checked(handle)


def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"FUZZYJOIN_STORAGE: .* cannot be written to"):
        store_file("programs", ".json", write("{}"))


def test_handles_survive_json():
    handle = store_file("programs", ".json", write("{}"))
    assert FileHandle.model_validate_json(handle.model_dump_json()) == handle
