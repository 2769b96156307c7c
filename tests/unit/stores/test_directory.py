"""A directory's files are replaced whole or not at all, whatever call fails."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyvault_jwt.errors import CorruptDocument, StoreDenied, StoreTimeout
from keyvault_jwt.stores.directory import Directory, make_path, open_directory
from keyvault_jwt.stores.filesystem import SystemFilesystem

STEPS = ("create", "write", "grant", "date", "flush", "close", "rename", "flush")
"""The calls of one replacement, in order; the second flush is the directory's."""


class Recording:
    """The system's calls, each noted, one of which fails."""

    def __init__(self, fail_at: int | None = None, number: int = errno.EIO) -> None:
        self.steps: list[str] = []
        self._system, self._fail_at, self._number = SystemFilesystem(), fail_at, number

    def __getattr__(self, step: str) -> Callable[..., Any]:
        call = getattr(self._system, step)

        def run(*arguments: Any, **options: Any) -> Any:
            self.steps.append(step)
            if len(self.steps) - 1 == self._fail_at:
                if step == "close":
                    call(*arguments, **options)
                raise OSError(self._number, os.strerror(self._number))
            return call(*arguments, **options)

        return run


def entries(folder: Path) -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in folder.iterdir())


def test_put_and_read(directory: Directory, folder: Path) -> None:
    """What is put is read back with its date, has its mode whatever the umask, and leaves nothing aside."""
    umask = os.umask(0o077)
    try:
        put = directory.put("a", b"one", 0o644)
    finally:
        os.umask(umask)
    assert directory.read("a", 3) == put
    assert put.data == b"one"
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o644
    assert entries(folder) == ["a"]


def test_order_of_the_steps(folder: Path) -> None:
    """Content is on disk before it gets its name, and the name is on disk before the answer."""
    recording = Recording()
    with open_directory(recording, folder) as directory:
        directory.put("a", b"one", 0o600)
    assert tuple(recording.steps) == STEPS


@pytest.mark.parametrize("at", range(6), ids=STEPS[:6])
def test_failure_before_the_rename(folder: Path, at: int) -> None:
    """Whatever fails before the rename, the old file stays and nothing is left aside."""
    (folder / "a").write_bytes(b"old")
    with (
        open_directory(Recording(at, errno.ENOSPC), folder) as directory,
        pytest.raises(OSError, match="space"),
    ):
        directory.put("a", b"new", 0o600)
    assert (folder / "a").read_bytes() == b"old"
    assert entries(folder) == ["a"]


def test_failure_of_the_rename(folder: Path) -> None:
    """A rename that fails in an unclear way is an unknown outcome; here the old file stayed."""
    (folder / "a").write_bytes(b"old")
    with open_directory(Recording(6), folder) as directory, pytest.raises(StoreTimeout):
        directory.put("a", b"new", 0o600)
    assert (folder / "a").read_bytes() == b"old"
    assert entries(folder) == ["a"]


def test_failure_after_the_rename(folder: Path) -> None:
    """When the directory can't be flushed the outcome is unknown, never told as refused; it is there."""
    (folder / "a").write_bytes(b"old")
    with open_directory(Recording(7), folder) as directory, pytest.raises(StoreTimeout, match="not known"):
        directory.put("a", b"new", 0o600)
    assert (folder / "a").read_bytes() == b"new"


@pytest.mark.parametrize("ahead", [0, 10**18], ids=["past", "far-future"])
def test_dates_rise(directory: Directory, folder: Path, ahead: int) -> None:
    """Each replacement is dated later than what it replaces, even where the clock stands behind."""
    content = directory.put("a", b"one", 0o600)
    os.utime(folder / "a", ns=(0, content.modified + ahead))
    for _ in range(50):
        before = directory.read("a", 9)
        assert before is not None
        content = directory.put("a", b"one", 0o600, after=before.modified)
        assert content.modified > before.modified
        assert content == directory.read("a", 9)


def test_dates_rise_where_they_are_coarse(folder: Path) -> None:
    """On a file system with dates of two seconds' grain they rise all the same."""

    class Coarse(SystemFilesystem):
        def date(self, file: int, modified: int) -> None:
            super().date(file, modified - modified % 2_000_000_000)

    with open_directory(Coarse(), folder) as directory:
        content = directory.put("a", b"one", 0o600)
        for _ in range(5):
            after = content.modified
            content = directory.put("a", b"one", 0o600, after=after)
            assert content.modified > after


def test_short_writes_are_continued(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes a few bytes at a time still gets all of them."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    directory.put("a", b"0123456789", 0o600)
    content = directory.read("a", 10)
    assert content is not None
    assert content.data == b"0123456789"


def test_put_once(directory: Directory, folder: Path) -> None:
    """Of two that put the same file once, the first one's stays, and nothing is left aside."""
    assert directory.put_once("a", b"first", 0o600)
    assert not directory.put_once("a", b"second", 0o600)
    assert (folder / "a").read_bytes() == b"first"
    assert entries(folder) == ["a"]


def test_sweep_removes_only_leftovers(directory: Directory, folder: Path) -> None:
    """What a dead writer left aside goes; documents, locks and other files stay."""
    keep = [".lock", ".store.json", "a.tmp", "public.json"]
    for name in (*keep, ".public.json.tmp", ".authority.sealed.tmp"):
        (folder / name).write_bytes(b"x")
    directory.sweep()
    assert entries(folder) == sorted(keep)


def test_file_over_the_limit_is_not_read(directory: Directory, folder: Path) -> None:
    """A file larger than any document is refused before it is read into memory."""
    (folder / "a").write_bytes(b"0123456789")
    assert directory.read("a", 10) is not None
    with pytest.raises(CorruptDocument):
        directory.read("a", 9)


def test_what_is_no_file_is_not_read(directory: Directory, folder: Path, tmp_path: Path) -> None:
    """A link, a directory and a pipe in a document's place are refused, and none blocks."""
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "directory").mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(OSError, match="symbolic"):
        directory.read("link", 99)
    for name in ("directory", "pipe"):
        with pytest.raises(CorruptDocument):
            directory.read(name, 99)


def test_link_is_replaced_not_followed(directory: Directory, folder: Path, tmp_path: Path) -> None:
    """Links planted under a document's name, and under the name aside, lead no write elsewhere."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (folder / "a").symlink_to(victim)
    directory.put("a", b"new", 0o600)
    assert not (folder / "a").is_symlink()
    (folder / ".a.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        directory.put("a", b"newer", 0o600)
    assert victim.read_bytes() == b"untouched"


def test_directory_that_anyone_may_write_to(folder: Path) -> None:
    """A directory writable by every user is refused, with the command that mends it."""
    folder.chmod(0o1777)
    with pytest.raises(StoreDenied, match=f"chmod o-w {folder}"), open_directory(SystemFilesystem(), folder):
        pass


def test_inner_directory_is_no_link(directory: Directory, folder: Path, tmp_path: Path) -> None:
    """An entry that is a link to a directory is not entered; the outermost directory may be one."""
    (tmp_path / "elsewhere").mkdir()
    (folder / "ring").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(NotADirectoryError),
        open_directory(SystemFilesystem(), folder / "ring", within=directory),
    ):
        pass
    (tmp_path / "shortcut").symlink_to(folder)
    with open_directory(SystemFilesystem(), tmp_path / "shortcut") as opened:
        assert opened.entries() == ["ring"]


def test_make_path(tmp_path: Path) -> None:
    """Missing parents are made too, each flushed into the directory above it; a second time nothing is."""
    recording = Recording()
    assert make_path(recording, tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()
    assert recording.steps == ["make_directory", "flush"] * 3
    assert not make_path(recording, tmp_path / "a/b/c")
