"""When a derived document must be written anew, and when it is another's or tampered with."""

from __future__ import annotations

import msgspec
import pytest

from keyvault_jwt import document
from keyvault_jwt.document import Derived
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.seen import Seen
from keyvault_jwt.store import DocumentKind, Version
from tests.model.scenes import active, ready

PUBLIC = DocumentKind.PUBLIC
RING = ready().keyring
WANTED = document.derive(PUBLIC, RING)


def seen(there: Derived | None, *, observed: bool = True) -> Seen:
    """Return a document as read, or as just written."""
    data = b"not ours" if there is None else document.derived_draft(PUBLIC, there).data
    return Seen(Version("1"), there, data, observed=observed)


def at(epoch: int, revision: int, of: Keyring = RING) -> Derived:
    """Return what another place in history would say, `epoch` and `revision` away from ours."""
    there = document.derive(PUBLIC, of)
    return msgspec.structs.replace(there, epoch=RING.epoch + epoch, revision=RING.revision + revision)


OTHER = RING.revoked(active(ready()), 1, reason="leaked")


@pytest.mark.parametrize(
    ("there", "lags"),
    [
        (None, True),
        (at(0, -1, OTHER), True),
        (at(0, -1), False),
        (at(0, 0, OTHER), False),
        (at(0, 1, OTHER), False),
        (at(-1, 99), True),
        (at(1, -1, OTHER), False),
    ],
    ids=[
        "unreadable",
        "older and other",
        "older and the same",
        "other at our revision",
        "newer",
        "of an older epoch",
        "of a newer epoch",
    ],
)
def test_written_only_over_what_is_lower(there: Derived | None, lags: bool) -> None:
    """A derived document never goes backwards, and equals are for the alarm, not for writing over."""
    assert seen(there).lags(WANTED) is lags


@pytest.mark.parametrize(
    ("found", "contradicts"),
    [
        (seen(at(0, 0)), False),
        (seen(at(0, 0, OTHER)), True),
        (seen(at(0, -1, OTHER)), False),
        (seen(None), True),
        (seen(None, observed=False), False),
        (Seen(observed=True), False),
    ],
    ids=["ours", "other bytes at our revision", "older", "unreadable", "written by us", "absent"],
)
def test_other_bytes_at_our_revision_contradict(found: Seen, contradicts: bool) -> None:
    """Tampering or a bug shows as other bytes at one revision, or bytes that are no document."""
    assert found.contradicts(PUBLIC, RING) is contradicts


def test_bytes_do_not_show() -> None:
    """A signing document's bytes hold a private half: no repr shows them."""
    signing = document.derive(DocumentKind.SIGNING, RING)
    data = document.derived_draft(DocumentKind.SIGNING, signing).data
    assert data.decode()[200:230] not in repr(Seen(Version("1"), signing, data))
