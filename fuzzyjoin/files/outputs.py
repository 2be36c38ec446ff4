"""Outputs that are checked before the work and written wholly or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files.durable import sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Output", "check_outputs", "write_all", "write_file", "write_text_file"]


@dataclass(frozen=True)
class Output:
    """A file to be written.

    Parameters
    ----------
    path
        Where it goes.
    write
        Writes the content to the path it is given: a temporary name in the same folder.
    """

    path: Path
    write: Callable[[Path], None]


def check_outputs(outputs: Sequence[Path], *, inputs: Sequence[Path]) -> None:
    """Refuse outputs that could not be written, or would overwrite an input or one another.

    Parameters
    ----------
    outputs
        Files to be written.
    inputs
        Files to be read before.

    Raises
    ------
    UsageError
        If a folder is missing or cannot be written to, or two of the files are one.
    """
    for position, path in enumerate(outputs):
        for other in inputs:
            if _same(path, other):
                raise UsageError(f"{path}: is an input as well, and would be overwritten; name another output file")
        for other in outputs[:position]:
            if _same(path, other):
                raise UsageError(f"{path}: is asked for as two outputs; give each a name of its own")
        _check_writable(path)


def write_all(outputs: Sequence[Output]) -> None:
    """Write files so that all of them appear, each at once and whole, or none changes.

    Parameters
    ----------
    outputs
        Files and how to write them. Links are followed, permissions of files that exist are kept.

    Raises
    ------
    DataError
        If one cannot be written; then all are as they were.
    """
    with ExitStack() as clean_up:
        staged = []
        for output in outputs:
            with _named(output.path):
                target = output.path.resolve()
                temporary = _temporary_beside(target, clean_up)
                output.write(temporary)
                sync_file(temporary)
                if target.exists():
                    shutil.copymode(target, temporary)
                staged.append((output.path, target, temporary))
        lost: list[str] = []
        try:
            with ExitStack() as undo:
                copies = []
                for path, target, temporary in staged:
                    with _named(path):
                        copies.append(_kept_copy(target))
                        undo.callback(_restore, target, copies[-1], lost)
                        temporary.replace(target)
                undo.pop_all()
        except DataError as error:
            if lost:
                raise DataError(f"{error}. But {'; '.join(lost)}") from None
            raise
        for copy in filter(None, copies):
            _remove(copy)
        for folder in {target.parent for _, target, _ in staged}:
            sync_folder(folder)


def write_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write one file at once and whole, as `write_all` does; what is no regular file, as a pipe, is written in place.

    Raises
    ------
    DataError
        If it cannot be written; then it is as it was.
    """
    if path.exists() and not path.is_file():
        with _named(path):
            write(path)
    else:
        write_all([Output(path, write)])


def write_text_file(path: Path, text: str) -> None:
    """Write text as UTF-8, as `write_file` does; line ends stay as they are."""

    def write(staged: Path) -> None:
        staged.write_text(text, encoding="utf-8", newline="\n")

    write_file(path, write)


def _same(path: Path, other: Path) -> bool:
    """Whether two names lead to one file, through links and hard links too."""
    if path.resolve() == other.resolve():
        return True
    return path.exists() and other.exists() and path.samefile(other)


def _check_writable(path: Path) -> None:
    """Refuse a path at which no file can be made."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UsageError(
            f"{path}: the folder {str(path.parent)!r} does not exist; make it first, or check its spelling"
        )
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: is not a regular file, and cannot be replaced by one; name another output file")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"{path}: is write-protected; name another output file, or make it writable")
    # Permissions alone do not tell: a file system may be read-only, or full.
    with ExitStack() as clean_up:
        try:
            _temporary_beside(path.resolve(), clean_up).touch(exist_ok=False)
        except OSError as error:
            raise UsageError(
                f"{path}: no file can be made in the folder {str(path.parent)!r} ({error.strerror}); "
                "choose a folder that can be written to"
            ) from None


def _temporary_beside(target: Path, clean_up: ExitStack) -> Path:
    """Choose a free name in the same folder, because only there a rename is one step; it is gone in the end."""
    path = _free_name(target)
    clean_up.callback(_remove, path)
    return path


def _free_name(target: Path) -> Path:
    return target.with_name(f".fuzzyjoin-{secrets.token_hex(6)}.tmp")


def _kept_copy(target: Path) -> Path | None:
    """Keep what a file holds now, to be able to put it back; None where there is none."""
    if not target.exists():
        return None
    copy = _free_name(target)
    try:
        copy.hardlink_to(target)
    except OSError:
        # Some file systems have no hard links.
        try:
            shutil.copy2(target, copy)
        except BaseException:
            _remove(copy)
            raise
    return copy


def _restore(target: Path, copy: Path | None, lost: list[str]) -> None:
    """Put a file back as it was before. Where that fails too, the copy stays, and `lost` says where it is."""
    try:
        if copy is None:
            target.unlink(missing_ok=True)
        else:
            copy.replace(target)
            # Two names of one file: replacing one by the other leaves both.
            _remove(copy)
    except OSError as error:
        held = "is left there" if copy is None else f"could not be put back; what it held before is in {copy}"
        lost.append(f"{target} {held} ({error.strerror or error})")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(
            f"{path}: cannot be written: the folder {str(path.parent)!r} does not exist; make it first, or check its "
            "spelling"
        ) from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}); nothing was changed: free the file or the disk "
            "and run again"
        ) from None
