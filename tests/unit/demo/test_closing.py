"""A promise that was not kept is named, whichever it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keyvault_jwt.demo import JUDGED, ROUTINE, TRIES, Closing, Library, Scene, View
from keyvault_jwt.demo.fast_time import fast_policy
from keyvault_jwt.demo.messages import Issued, Occasion, Unanswered
from keyvault_jwt.demo.tally import Revocation, Tally
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.stores.memory import MemoryStore
from tests.unit.demo.conftest import NOW, MakeVerdict

Close = Callable[..., Closing]
VERIFIERS = (("verifier-1", Library.OURS), ("verifier-2", Library.PYJWT))


@pytest.fixture
def tally(verdict: MakeVerdict) -> Tally:
    """A tally of a token that both verifiers accepted on every occasion."""
    tally = Tally()
    tally.hear("signer-1", Issued("k1", "t1", NOW + 3_000))
    for name, _ in VERIFIERS:
        for occasion in ROUTINE:
            tally.hear(name, verdict(accepted=True, occasion=occasion))
    return tally


@pytest.fixture
def close(tally: Tally) -> Close:
    """Close a demonstration of that tally, with its scenes happened or not."""
    manager = KeyManager(MemoryStore(), listener=lambda event: None)
    manager.create("demo", fast_policy(), issuer="https://id.example")

    def closing(*, happened: bool = True) -> Closing:
        view = View(NOW, NOW + 30_000, manager.keyring("demo"), manager.plan("demo"), tally, 0)
        return Closing(view, (Scene("5 rotations", happened),), VERIFIERS, 30_000)

    return closing


def test_all_is_kept_when_nothing_is_broken(close: Close) -> None:
    """Every scene, every occasion, and both counts 0."""
    assert list(close().broken()) == []
    assert close().kept


def test_each_breach_is_named(close: Close, tally: Tally, verdict: MakeVerdict) -> None:
    """A valid token refused, a revoked key accepted, a scene that is missing."""
    tally.hear("verifier-1", verdict(accepted=False))
    assert not close().kept
    tally.revocation = Revocation("k2", NOW, NOW, NOW)
    for number in range(TRIES):
        for name, _ in VERIFIERS:
            accepted = (name, number) == ("verifier-2", 0)
            tally.hear(name, verdict(accepted=accepted, at=NOW + 1, kid="k2", occasion=Occasion.SIGNATURE))
    assert list(close(happened=False).broken()) == [
        "refused though unexpired and not revoked: 1",
        "the revoked key accepted after its bound: 1",
        "did not happen: 5 rotations",
    ]


def test_a_missing_scene_alone_is_a_breach(close: Close) -> None:
    """What was promised and not shown is a failure, too."""
    assert not close(happened=False).kept


@pytest.mark.parametrize("occasion", ROUTINE)
def test_a_verifier_that_never_verified_on_an_occasion_is_a_breach(
    close: Close, tally: Tally, occasion: object
) -> None:
    """Two counts of 0 say nothing if nobody was asked."""
    del tally.accepted["verifier-2", occasion]  # type: ignore[arg-type]
    assert list(close().broken()) == [f"verifier-2 accepted no token {occasion}"]


def test_a_verifier_that_has_no_answer_any_more_is_a_breach(
    close: Close, tally: Tally, verdict: MakeVerdict
) -> None:
    """One token accepted on every occasion, and then nothing: too few were judged, however patient we are."""
    for number in range(2, 101):
        jti = f"t{number}"
        tally.hear("signer-1", Issued("k1", jti, NOW + 3_000))
        tally.hear("verifier-1", verdict(accepted=True, jti=jti))
        tally.hear("verifier-2", verdict(accepted=True, jti=jti) if number <= JUDGED else Unanswered("why"))
    assert close().kept
    tally.hear("signer-1", Issued("k1", "one more", NOW + 3_000))
    assert list(close().broken()) == [f"verifier-2 judged {JUDGED} of 101 tokens, less than {JUDGED} %"]


def test_a_revoked_key_that_was_hardly_tried_past_its_bound_is_a_breach(
    close: Close, tally: Tally, verdict: MakeVerdict
) -> None:
    """Nobody accepted it, but one verifier was not asked often enough."""
    tally.revocation = Revocation("k1", NOW, NOW, NOW + 10)
    for name, tries in (("verifier-1", TRIES), ("verifier-2", TRIES - 1)):
        for _ in range(tries):
            tally.hear(name, verdict(accepted=False, at=NOW + 11, occasion=Occasion.SIGNATURE))
    assert list(close().broken()) == [
        f"verifier-2 tried the revoked key {TRIES - 1} times past its bound, less than {TRIES}"
    ]
