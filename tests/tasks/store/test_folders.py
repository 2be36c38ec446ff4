"""Where the pipeline's files are."""

from tasks.store.folders import snapshot_folder, storage_folder


def test_without_a_setting_the_folder_is_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("FUZZYJOIN_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert storage_folder() == tmp_path.resolve() / "fuzzyjoin-storage"
    assert snapshot_folder() == storage_folder() / "snapshots"
