"""Whether a document continues what was seen: later, older, forked, or merely out of reach."""

from __future__ import annotations

from uuid import UUID

import pytest

from keyvault_jwt.errors import RolledBack
from keyvault_jwt.history import contradiction, is_behind, is_forked, require_continuation
from keyvault_jwt.keyring import LINEAGE_LENGTH, Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.report import mark_of
from tests.made_rings import NOW, made_key, made_ring

KEY = made_key(1, KeyState.ACTIVE)


def at(revision: int, *, branch: int = 0, since: int = 1, epoch: int = 1) -> Keyring:
    """Return a keyring at a revision; two branches differ in every write from `since` on."""
    ring = made_ring(KEY, epoch=epoch)
    for number in range(2, revision + 1):
        ring = ring.committed(UUID(int=number + (1000 * branch if number >= since else 0)))
    return ring


@pytest.mark.parametrize(
    ("head", "seen", "behind", "forked"),
    [
        (at(5), at(5), False, False),
        (at(6), at(5), False, False),
        (at(4), at(5), True, False),
        (at(5, branch=1, since=5), at(5), False, True),
        (at(9, branch=1, since=5), at(5), False, True),
        (at(9, branch=1, since=6), at(5), False, False),
        (at(1, epoch=2), at(5), False, False),
        (at(9), at(1, epoch=2), True, False),
        (at(LINEAGE_LENGTH + 5, branch=1, since=2), at(6), False, True),
        (at(LINEAGE_LENGTH + 6, branch=1, since=2), at(6), False, False),
        (at(9, branch=1, since=5).replaced(lineage=()), at(5), False, False),
    ],
    ids=[
        "the same",
        "one on",
        "one back",
        "another write at it",
        "another branch",
        "branched later",
        "newer epoch",
        "older epoch",
        "just in reach",
        "out of reach",
        "no lineage yet",
    ],
)
def test_place_in_history(head: Keyring, seen: Keyring, *, behind: bool, forked: bool) -> None:
    """Behind and forked are told apart, and only these two are refused."""
    assert (is_behind(head, seen), is_forked(head, seen)) == (behind, forked)
    if behind or forked:
        with pytest.raises(RolledBack) as caught:
            require_continuation(head, seen)
        assert f"({head.epoch}, {head.revision})" in caught.value.what
        assert f"({seen.epoch}, {seen.revision})" in caught.value.why
    else:
        require_continuation(head, seen)
    assert (contradiction(head, mark_of(seen)) is not None) is (behind or forked)


def test_first_reader_takes_what_is_there() -> None:
    """With nothing seen, or nothing there, there is nothing to contradict."""
    require_continuation(at(1), None)
    assert contradiction(at(1), None) is None
    assert contradiction(None, mark_of(at(1))) is None


@pytest.mark.parametrize("state", KeyState)
def test_revoked_key_that_is_alive_again_contradicts(state: KeyState) -> None:
    """A newer epoch is no excuse for publishing what was seen revoked."""
    ring = made_ring(made_key(1, state), epoch=5)
    mark = Mark(1, 1, UUID(int=7), frozenset({KEY.kid}))
    denied = contradiction(ring, mark)
    assert (denied is not None) is state.published
    if denied is not None:
        assert KEY.kid in denied.what
        assert "seen revoked" in denied.why
        assert "on this machine" in denied.fix


def test_mark_remembers_every_compromised_key() -> None:
    """Tombstones of revoked keys count as well."""
    ring = made_ring(KEY, made_key(2, KeyState.COMPROMISED), made_key(3, KeyState.DESTROYED, compromised=NOW))
    assert mark_of(ring).revoked == {ring.records[1].kid, ring.records[2].kid}
    assert mark_of(ring).position == (ring.epoch, ring.revision)
