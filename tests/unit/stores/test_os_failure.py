"""What the operating system refuses becomes the error that says what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from keyvault_jwt.errors import (
    ForeignDocument,
    KeyvaultJWTError,
    StoreDenied,
    StoreFull,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.stores.os_failure import rename_error, told

PATH = Path("/keys/payments/authority.sealed")
KINDS = {
    errno.EACCES: StoreDenied,
    errno.EPERM: StoreDenied,
    errno.EROFS: StoreDenied,
    errno.ENOSPC: StoreFull,
    errno.EDQUOT: StoreFull,
    errno.EFBIG: StoreFull,
    errno.ELOOP: ForeignDocument,
    errno.ENOTDIR: ForeignDocument,
    errno.EISDIR: ForeignDocument,
    errno.EIO: StoreUnavailable,
    errno.ESTALE: StoreUnavailable,
    errno.EMFILE: StoreUnavailable,
}


@pytest.mark.parametrize(("number", "kind"), KINDS.items(), ids=map(errno.errorcode.get, KINDS))
def test_failure_is_told(number: int, kind: type[KeyvaultJWTError]) -> None:
    """Each refusal is its own error, names the file, and says what to do."""
    with pytest.raises(kind) as caught, told("write", PATH):
        raise OSError(number, "refused")
    assert str(PATH) in caught.value.what
    assert "write" in caught.value.what or kind is ForeignDocument
    assert caught.value.fix


def test_other_exceptions_pass() -> None:
    """What is no failure of the system goes through as it is."""
    with pytest.raises(KeyError), told("write", PATH):
        raise KeyError


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_refused_rename_replaced_nothing(number: int) -> None:
    """A rename that the system refused is told like any step before it."""
    assert isinstance(rename_error(OSError(number, ""), PATH), KINDS[number])


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOENT])
def test_failed_rename_may_have_landed(number: int) -> None:
    """A rename whose answer a network file system lost is an unknown outcome."""
    assert isinstance(rename_error(OSError(number, ""), PATH), StoreTimeout)
