"""The two counts that must be 0 see every breach, and nothing that is none."""

from __future__ import annotations

import pytest

from keyvault_jwt.demo.fast_time import TOKEN_TTL
from keyvault_jwt.demo.messages import Issued, Occasion, Unanswered, Unsigned
from keyvault_jwt.demo.outage import Outage
from keyvault_jwt.demo.tally import Revocation, Tally
from tests.unit.demo.conftest import NOW, MakeVerdict

BOUND = NOW + 3_300
ISSUED = {"t1": Issued("k1", "t1", NOW + 3_000)}


@pytest.fixture
def tally() -> Tally:
    """A tally of one token, t1, in whose keyring k1 was revoked at `NOW`, with a bound of 3.3 s."""
    return Tally(issued=ISSUED.copy(), revocation=Revocation("k1", NOW, NOW + 10, BOUND))


def test_a_valid_token_that_was_refused_is_counted(verdict: MakeVerdict) -> None:
    """One refusal of an unexpired token of a good key is one too many."""
    tally = Tally(issued=ISSUED.copy())
    tally.hear("verifier-1", verdict(accepted=False))
    ((member, refusal),) = tally.refused_though_valid
    assert (member, refusal.reason) == ("verifier-1", "key_unknown")


def test_an_expired_token_may_be_refused(verdict: MakeVerdict) -> None:
    """What had expired by the end of the verdict is no breach, up to that very millisecond."""
    tally = Tally(issued=ISSUED.copy())
    tally.hear("verifier-1", verdict(accepted=False, at=NOW + 2_999))
    assert tally.refused_though_valid == []
    tally.hear("verifier-1", verdict(accepted=False, at=NOW + 2_998))
    assert len(tally.refused_though_valid) == 1


def test_a_revoked_key_may_be_refused_from_the_moment_its_revocation_began(
    tally: Tally, verdict: MakeVerdict
) -> None:
    """Refusals before it are breaches, also when the revocation comes later; other keys' always are."""
    tally.hear("verifier-1", verdict(accepted=False, at=NOW))
    assert tally.refused_though_valid == []
    tally.hear("verifier-1", verdict(accepted=False, at=NOW - 2))
    tally.hear("verifier-1", verdict(accepted=False, kid="k2"))
    assert [refusal.kid for _, refusal in tally.refused_though_valid] == ["k1", "k2"]


def test_a_revoked_key_that_is_accepted_past_its_bound_is_counted(tally: Tally, verdict: MakeVerdict) -> None:
    """Only what was decided wholly after the bound counts, whatever was looked at."""
    tally.hear("verifier-1", verdict(accepted=True, at=BOUND, occasion=Occasion.SIGNATURE))
    assert tally.accepted_past_bound == []
    assert tally.last_acceptance == BOUND
    for occasion in (Occasion.SIGNATURE, Occasion.LATE):
        tally.hear("verifier-1", verdict(accepted=True, at=BOUND + 1, occasion=occasion))
    tally.hear("verifier-1", verdict(accepted=False, at=BOUND + 2, occasion=Occasion.SIGNATURE))
    tally.hear("verifier-1", verdict(accepted=True, at=BOUND + 3, kid="k2"))
    assert len(tally.accepted_past_bound) == 2
    assert len(tally.past_bound) == 3


def test_nothing_is_past_a_bound_that_was_not_stated(verdict: MakeVerdict) -> None:
    """While the removal is not confirmed there is no bound to hold anybody to."""
    tally = Tally(issued=ISSUED.copy(), revocation=Revocation("k1", NOW))
    tally.hear("verifier-1", verdict(accepted=True, at=NOW + 60_000))
    assert tally.past_bound == []


def test_verdicts_are_counted_by_verifier_and_occasion(verdict: MakeVerdict) -> None:
    """Signatures alone are no verified tokens; a key is known to whoever accepted a token of it."""
    tally = Tally(issued=ISSUED.copy())
    tally.hear("verifier-1", verdict(accepted=True))
    tally.hear("verifier-1", verdict(accepted=True, occasion=Occasion.LATE))
    tally.hear("verifier-2", verdict(accepted=True, kid="k2"))
    tally.hear("verifier-2", verdict(accepted=True, occasion=Occasion.SIGNATURE))
    assert (tally.verdicts, tally.accepted_by("verifier-1")) == (3, 2)
    assert tally.accepted["verifier-1", Occasion.LATE] == 1
    assert tally.knows("verifier-1", "k1")
    assert not tally.knows("verifier-2", "k1")


def test_a_token_is_judged_by_all_when_each_has_said_something(verdict: MakeVerdict) -> None:
    """A failed fetch is no verdict, and is counted as one; so is a signer that would not sign."""
    tally, everybody = Tally(), frozenset({"verifier-1", "verifier-2"})
    tally.hear("signer-1", Issued("k1", "t1", NOW))
    tally.hear("signer-1", Unsigned("signer_lease_expired"))
    tally.hear("verifier-1", verdict(accepted=True))
    tally.hear("verifier-2", Unanswered("URLError"))
    assert tally.judged_by_all(everybody) == 0
    tally.hear("verifier-2", verdict(accepted=False, at=NOW + 2_999))
    assert tally.judged_by_all(everybody) == 0  # it had expired: that may be all the refusal says
    tally.hear("verifier-2", verdict(accepted=False))
    assert tally.judged_by_all(everybody) == 1
    assert tally.unanswered == {"verifier-2": 1}
    assert tally.unsigned == {"signer_lease_expired": 1}


def test_a_token_that_nobody_issued_counts_for_nothing(tally: Tally, verdict: MakeVerdict) -> None:
    """Whoever forges one can neither break a promise nor make it look kept."""
    for kid, at, accepted in (("nobody", NOW, False), ("k1", BOUND + 1, True), ("k1", BOUND + 1, False)):
        tally.hear("verifier-1", verdict(accepted=accepted, at=at, kid=kid, jti="forged"))
    assert (tally.refused_though_valid, tally.past_bound, tally.verdicts) == ([], [], 0)
    assert not tally.knows("verifier-1", "k1")


def test_a_verdict_that_is_heard_before_its_token_was_issued_counts_then(verdict: MakeVerdict) -> None:
    """Reports come by several pipes, in any order."""
    tally = Tally()
    tally.hear("verifier-1", verdict(accepted=False))
    tally.hear("verifier-2", verdict(accepted=True))
    assert (tally.refused_though_valid, tally.verdicts) == ([], 0)
    tally.hear("signer-1", ISSUED["t1"])
    assert (len(tally.refused_though_valid), tally.verdicts) == (1, 1)
    assert tally.judged_by_all(frozenset({"verifier-1", "verifier-2"})) == 1


def test_only_a_token_accepted_before_shows_that_its_key_is_refused_now(
    tally: Tally, verdict: MakeVerdict
) -> None:
    """A verifier that never accepted it may refuse it for whatever reason."""
    for name in ("verifier-1", "verifier-2"):
        tally.hear(name, verdict(accepted=name == "verifier-1"))
        tally.hear(name, verdict(accepted=False, at=BOUND + 1, occasion=Occasion.SIGNATURE))
    assert len(tally.past_bound) == 2
    assert (tally.tried_by("verifier-1"), tally.tried_by("verifier-2")) == (1, 0)


@pytest.mark.parametrize(
    ("outage", "owed"),
    [
        (Outage(NOW + 3_000), ["t1"]),
        (Outage(NOW + 2_999), []),
        (Outage(NOW - 500, NOW + 3_000 - TOKEN_TTL), []),
        (Outage(NOW - 500, NOW + 2_999 - TOKEN_TTL), ["t1"]),
    ],
)
def test_no_verdict_is_owed_on_a_token_that_lived_while_the_server_was_away(
    verdict: MakeVerdict, outage: Outage, owed: list[str]
) -> None:
    """From its signature to its expiry; any other is owed, and whoever judges it has done so."""
    tally = Tally(issued=ISSUED.copy(), outages=[outage])
    tally.hear("verifier-1", verdict(accepted=True))
    assert tally.owed == owed
    assert (tally.judged_by("verifier-1"), tally.judged_by("verifier-2")) == (len(owed), 0)
