"""Checks of one key by both engines, and a count of what AWS-LC is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from awscrt import crypto

from keyvault_jwt.algorithms import ALGORITHMS, Verify
from keyvault_jwt.fast import AWSLC
from keyvault_jwt.key_factory import public_half
from tests.unit.conftest import TestKey

MakeKey = Callable[..., TestKey]
DATA = b"signing input"


@dataclass(frozen=True)
class Bound:
    """A key's check by AWS-LC (`ours`) and by its row (`theirs`), with a good signature of `DATA`."""

    ours: Verify
    theirs: Verify
    good: bytes


def bound(name: str, private: Any) -> Bound:
    """Return the checks of a private key's signatures by an algorithm, and one of these."""
    return Bound(*both(name, public_half(private)), ALGORITHMS[name].signer(private)(DATA))


def both(name: str, public: Any) -> tuple[Verify, Verify]:
    """Return AWS-LC's check and the row's own."""
    return AWSLC().verifier(ALGORITHMS[name], public), ALGORITHMS[name].verifier(public)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind of key of each check that AWS-LC was asked for."""
    checks: list[str] = []
    for kind in (crypto.RSA, crypto.EC):

        def verify(*arguments: Any, kind: Any = kind, own: Any = kind.verify) -> Any:
            checks.append(kind.__name__)
            return own(*arguments)

        monkeypatch.setattr(kind, "verify", verify)
    return checks
