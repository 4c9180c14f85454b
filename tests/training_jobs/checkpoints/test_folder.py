from __future__ import annotations

from pathlib import Path

from sagemaker_tensorflow.training.checkpoints.folder import FileVersion, FolderWatch


class Meanwhile(dict[str, FileVersion]):
    """Asked for between the two walks of a look: then the script saves."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def get(self, name: str, default: object = None) -> None:  # type: ignore[override]
        (self._folder / "new").write_text("new")
        (self._folder / "temporary").write_text("names the new one")
        (self._folder / "temporary").rename(self._folder / "checkpoint")


def test_what_is_written_during_a_look(tmp_path: Path) -> None:
    """Nothing of it may be taken before all of it is seen."""
    for name in ("checkpoint", "old"):
        (tmp_path / name).write_text(name)
    watch = FolderWatch(tmp_path)
    watch.look(Meanwhile(tmp_path))
    assert {name: watch.is_still(name) for name in watch.versions()} == {
        "checkpoint": False,
        "new": False,
        "old": True,
    }
    watch.look({})
    assert all(watch.is_still(name) for name in watch.versions())


def test_which_files_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    watch = FolderWatch(folder)
    watch.look({})
    assert watch.versions() == {}
    (folder / "a").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("linked")
    (folder / "a" / ".hidden").write_text("")
    (folder / "file").symlink_to(tmp_path / "elsewhere" / "file")
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    (folder / "nowhere").symlink_to(tmp_path / "nowhere")
    (folder / ".smtf-any-0.tmp").write_text("")
    (folder / "latin-\udce4").write_text("")
    watch.probe()
    watch.look({})
    assert set(watch.versions()) == {"a/.hidden", "file"}
    assert watch.skipped == {r"'latin-\udce4'"}
