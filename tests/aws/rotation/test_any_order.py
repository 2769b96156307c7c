"""Steps in any order, lost answers and other writers: no valid token is refused, and nothing hangs."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import uuid4

import jwt
import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import KeyvaultJWTError
from tests.aws.documented_secret import Refused
from tests.aws.faults import Breaks
from tests.aws.machine import RING
from tests.aws.rotation.conftest import Begin
from tests.aws.rotation.rotating import STEPS, Rotating

ACTIONS = 10


class Walk:
    """A course of actions that a seed chooses; every token signed on the way is kept."""

    def __init__(self, rotating: Rotating, seed: int) -> None:
        self.rotating, self.choice = rotating, random.Random(seed)
        self.tokens = [str(uuid4())]
        self.signed: list[str] = []
        self.refusals = 0

    def act(self) -> None:
        """Do one thing; what is refused is refused by an error of ours or of the service's."""
        actions: tuple[Callable[[], object], ...] = (
            self.begin,
            self.step,
            self.step,
            self.in_order,
            self.lose_an_answer,
            lambda: self.rotating.manager.reconcile(RING),
            lambda: self.rotating.manager.rotate(RING),
            self.revoke,
        )
        try:
            self.choice.choice(actions)()
        except (KeyvaultJWTError, Refused):
            self.refusals += 1
        self.signed.append(self.rotating.token())
        assert self.rotating.accepts(self.signed[-1])

    def begin(self) -> None:
        """Let Secrets Manager begin another rotation."""
        self.rotating.begin(token := str(uuid4()))
        self.tokens.append(token)

    def step(self) -> None:
        """Invoke any step under any token there was."""
        self.rotating.invoke(self.choice.choice(STEPS), self.choice.choice(self.tokens))

    def in_order(self) -> None:
        """Invoke the steps of the last rotation up to any of them."""
        for step in STEPS[: self.choice.randint(1, 4)]:
            self.rotating.invoke(step, self.tokens[-1])

    def lose_an_answer(self) -> None:
        """Let a connection break in the next step, after the request was carried out."""
        operation = self.choice.choice(["PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"])
        self.rotating.strict.next(operation, Breaks(self.choice.random() < 0.5))
        self.in_order()

    def revoke(self) -> None:
        """Withdraw a key that never signed."""
        standbys = [it.kid for it in self.rotating.keyring.records if it.state == "pre-activation"]
        self.rotating.manager.revoke(RING, self.choice.choice(standbys), reason="leaked")


@pytest.mark.parametrize("seed", range(2))
def test_any_order(begin: Begin, seed: int) -> None:
    """At the end every token of a key that was not revoked is taken, and a rotation ends well."""
    rotating = begin(kj.RotationPolicy(standbys=8))
    walk = Walk(rotating, seed)
    for _ in range(ACTIONS):
        walk.act()
    rotating.strict.script.clear()
    assert rotating.rotate()
    rotating.manager.reconcile(RING)
    revoked = {it.kid for it in rotating.keyring.records if it.compromised is not None}
    valid = [it for it in walk.signed if jwt.get_unverified_header(it)["kid"] not in revoked]
    assert valid
    assert all(rotating.accepts(token) for token in {*valid})
