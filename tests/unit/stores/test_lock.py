"""The lock excludes processes, threads and other locks of the same directory, and dies with its process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from keyvault_jwt.errors import ForeignDocument, StoreUnavailable
from keyvault_jwt.stores.directory import Directory
from keyvault_jwt.stores.lock import DirectoryLock

IMPATIENT = timedelta(milliseconds=50)

HOLDER = """
import sys
from pathlib import Path
from keyvault_jwt.stores.directory import open_directory
from keyvault_jwt.stores.filesystem import SystemFilesystem
from keyvault_jwt.stores.lock import DirectoryLock

with open_directory(SystemFilesystem(), Path(sys.argv[1])) as directory, DirectoryLock().hold(directory):
    print("held", flush=True)
    sys.stdin.read()
"""

FORKER = """
import os, signal, sys
from pathlib import Path
from keyvault_jwt.stores.directory import open_directory
from keyvault_jwt.stores.filesystem import SystemFilesystem
from keyvault_jwt.stores.lock import DirectoryLock

with open_directory(SystemFilesystem(), Path(sys.argv[1])) as directory, DirectoryLock().hold(directory):
    if os.fork() == 0:
        print("forked", flush=True)
        sys.stdin.read()
        os._exit(0)
    signal.pause()
"""


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def is_free(directory: Directory) -> bool:
    """Whether the lock can be had at once."""
    try:
        with DirectoryLock(timedelta(0)).hold(directory):
            return True
    except StoreUnavailable:
        return False


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_one_process_at_a_time(directory: Directory, holder: subprocess.Popen[str]) -> None:
    """While another process holds the lock it is not had, and the error names that process."""
    lock = DirectoryLock(IMPATIENT)
    named = f"process {holder.pid} held the lock for longer than 50ms"
    with pytest.raises(StoreUnavailable, match=named), lock.hold(directory):
        pass
    assert not lock._open


def test_given_up_lock_is_free(directory: Directory, holder: subprocess.Popen[str]) -> None:
    """A waiter gets the lock as soon as its holder lets go."""
    had = threading.Event()

    def wait() -> None:
        with DirectoryLock().hold(directory):
            had.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert not had.is_set()
    holder.communicate("")
    waiter.join()
    assert had.is_set()


def test_killed_holder_holds_no_more(directory: Directory, holder: subprocess.Popen[str]) -> None:
    """kill -9 frees the lock: nothing has to be cleaned up by hand."""
    assert not is_free(directory)
    holder.kill()
    holder.wait()
    assert is_free(directory)


@pytest.mark.parametrize("shared", [True, False], ids=["one-lock", "two-locks"])
def test_one_thread_at_a_time(directory: Directory, shared: bool) -> None:
    """Threads exclude each other, through one lock object or through several."""
    one = DirectoryLock()
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with (one if shared else DirectoryLock()).hold(directory):
                with guard:
                    inside += 1
                    most = max(most, inside)
                directory.entries()
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_child_does_not_keep_a_killed_parents_lock(directory: Directory, folder: Path) -> None:
    """A child forked while the lock was held lives on without it once its parent is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        assert not is_free(directory)
        parent.kill()
        parent.wait()
        assert is_free(directory)


def test_error_inside_frees_the_lock(directory: Directory) -> None:
    """An exception inside leaves the lock free, and no descriptor open."""
    lock = DirectoryLock()
    open_before = open_descriptors()
    with pytest.raises(KeyError), lock.hold(directory):
        raise KeyError
    assert is_free(directory)
    assert open_descriptors() == open_before


def test_lock_file_removed_meanwhile(directory: Directory, folder: Path) -> None:
    """Who locked a file that was removed meanwhile does not think that it holds the lock."""

    class RemovedOnce(DirectoryLock):
        opened = 0

        def _opened(self, directory: Directory) -> int:
            file = super()._opened(directory)
            RemovedOnce.opened += 1
            if RemovedOnce.opened == 1:
                (folder / ".lock").unlink()
            return file

    with RemovedOnce().hold(directory):
        assert RemovedOnce.opened == 2
        assert not is_free(directory)


def test_link_in_place_of_the_lock(directory: Directory, folder: Path, tmp_path: Path) -> None:
    """A link where the lock file should be is refused, and what it points to is not made."""
    (folder / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignDocument), DirectoryLock().hold(directory):
        pass
    assert not (tmp_path / "elsewhere").exists()
