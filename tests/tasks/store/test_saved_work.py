"""What was kept to save work is deleted whole, and what cannot be deleted is named."""

import errno
import shutil
from pathlib import Path

import pytest

from fuzzyjoin.errors import DataError
from tasks.store.saved_work import delete_saved_work


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    return tmp_path / "storage"


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
