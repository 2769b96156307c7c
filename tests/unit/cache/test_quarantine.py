"""Quarantine: what was refused or overtaken does not come back."""

from __future__ import annotations

import pytest

from keyvault_jwt.cache.quarantine import Quarantine
from keyvault_jwt.errors import ForeignDocument, RolledBack
from keyvault_jwt.jwks import Origin


def test_only_forward() -> None:
    """The same or a newer revision or epoch is admitted, an older one is rolled back."""
    seen = Quarantine().admit(Origin("r", 5, 7))
    for epoch, revision in ((5, 7), (5, 8), (6, 1)):
        assert seen.admit(Origin("r", epoch, revision)).newest == Origin("r", epoch, revision)
    for epoch, revision in ((5, 6), (4, 99)):
        with pytest.raises(RolledBack):
            seen.admit(Origin("r", epoch, revision))


def test_another_keyring() -> None:
    """A set of another keyring is not the successor of this one's."""
    with pytest.raises(ForeignDocument):
        Quarantine().admit(Origin("r", 5, 7)).admit(Origin("other", 9, 9))


def test_strangers_can_not_be_compared() -> None:
    """A set without origin is admitted and forgets nothing."""
    seen = Quarantine().admit(None).admit(Origin("r", 5, 7)).admit(None)
    assert seen.newest == Origin("r", 5, 7)
    with pytest.raises(RolledBack):
        seen.admit(Origin("r", 5, 6))


def test_merging_never_forgets() -> None:
    """Two memories merge to all that either refuses, and the later of two marks of one keyring."""
    one = Quarantine(frozenset({"a"}), Origin("r", 1, 9))
    two = Quarantine(frozenset({"b"}), Origin("r", 2, 1))
    for merged in (one.merged(two), two.merged(one)):
        assert merged == Quarantine(frozenset({"a", "b"}), Origin("r", 2, 1))
    assert one.merged(Quarantine()) == Quarantine().merged(one) == one
    assert one.merged(Quarantine(newest=Origin("other", 9, 9))).newest == one.newest
