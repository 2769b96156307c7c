"""What the operating system refuses, as errors of our tree that say what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ForeignDocument, KeyvaultJWTError, StoreDenied, StoreFull, StoreTimeout, StoreUnavailable

_DENIED = frozenset({errno.EACCES, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_OURS = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR})
_DEFINITE = _DENIED | _FULL | _NOT_OURS | {errno.EROFS, errno.EXDEV, errno.EMLINK, errno.ENAMETOOLONG}


@contextmanager
def told(action: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` inside into the error that `store_error` makes of it."""
    try:
        yield
    except OSError as failure:
        raise store_error(failure, action, path) from failure


def store_error(failure: OSError, action: str, path: Path) -> KeyvaultJWTError:
    """Return the error for a system call that failed before anything was replaced.

    `action` is what was attempted, as in "write"; it is also the capability that a denied
    caller lacks.
    """
    what, why = f"could not {action} {path}", os.strerror(failure.errno or 0)
    if failure.errno in _DENIED:
        who = f"uid {os.geteuid()}, gid {os.getegid()}"
        return StoreDenied(
            f"may not {action} {path}",
            why=f"{why} for {who}",
            fix=f"let this user {action} it (see modes in keyvault_jwt.stores.file), or run as its owner",
        )
    if failure.errno == errno.EROFS:
        return StoreDenied(
            f"may not {action} {path}", why=why, fix="mount the file system read-write, or use another store"
        )
    if failure.errno in _FULL:
        return StoreFull(what, why=f"{why}; nothing was replaced", fix="make room, then run the same again")
    if failure.errno in _NOT_OURS:
        return ForeignDocument(
            f"{path} is not what this store put there",
            why=f"{why}: a link, a file or a directory stands in its place",
            fix="find out who put it there, move it away, and restore the document",
        )
    return StoreUnavailable(what, why=why, fix="check the disk and its mount, then run the same again")


def rename_error(failure: OSError, path: Path) -> KeyvaultJWTError:
    """Return the error for a rename that failed: only some errors say that it did not happen.

    A network file system may lose the answer of a rename that its server carried out.
    """
    if failure.errno in _DEFINITE:
        return store_error(failure, "replace", path)
    return unsettled(failure, path)


def unsettled(failure: OSError, path: Path) -> StoreTimeout:
    """Return the error for a replacement that may or may not outlast a power cut."""
    return StoreTimeout(
        f"whether {path} was replaced is not known",
        why=os.strerror(failure.errno or 0),
        fix="read it again to find out; check the disk and its mount",
    )
