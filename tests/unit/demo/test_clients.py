"""Each library, as the fleet uses it: a verdict is a verdict, and a failed fetch is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from keyvault_jwt.clock import SystemClock
from keyvault_jwt.demo.client import Client, NoAnswer, Refused
from keyvault_jwt.demo.fast_time import fast_policy
from keyvault_jwt.demo.joserfc_client import JoserfcClient
from keyvault_jwt.demo.messages import Library, VerifierPart
from keyvault_jwt.demo.our_client import OurClient
from keyvault_jwt.demo.pyjwt_client import PyJWTClient
from keyvault_jwt.demo.ticket import ticket_of
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.server import create_app, running
from keyvault_jwt.signer import Signer
from keyvault_jwt.stores.memory import MemoryStore
from tests.waiting import until

ISSUER, AUDIENCE = "https://id.example", "api"
MakePart = Callable[..., VerifierPart]
KINDS = pytest.mark.parametrize("kind", [OurClient, PyJWTClient, JoserfcClient])


@pytest.fixture
def manager() -> KeyManager:
    """A manager whose keyring `payments` lives in fast time."""
    manager = KeyManager(MemoryStore(), listener=lambda event: None)
    manager.create("payments", fast_policy(), issuer=ISSUER)
    return manager


@pytest.fixture
def token(manager: KeyManager) -> str:
    with Signer(manager.store, "payments", background=False) as signer:
        return signer.sign({"sub": "me", "aud": AUDIENCE, "jti": "t1"})


@pytest.fixture
def address(manager: KeyManager) -> Iterator[str]:
    """The address of a JWKS server over the keyring."""
    with running(create_app(manager.store, operator_pages=False)) as address:
        yield f"{address}/payments/.well-known/jwks.json"


def part(
    address: str,
    *,
    algorithms: tuple[str, ...] = ("ES256",),
    audience: str = AUDIENCE,
    forgets: bool = True,
    max_age: float = 1.0,
) -> VerifierPart:
    """Return a verifier's part; its library is the test's to choose."""
    return VerifierPart(Library.OURS, address, ISSUER, audience, algorithms, max_age, 100, "/door", forgets)


@KINDS
def test_a_good_token_is_accepted(kind: Callable[[VerifierPart], Client], address: str, token: str) -> None:
    """Whole, and by its signature."""
    client = kind(part(address))
    client.verify(token)
    client.verify_signature(token)


@KINDS
def test_another_audience_or_algorithm_is_refused(
    kind: Callable[[VerifierPart], Client], address: str, token: str
) -> None:
    """With the library's reason; so an allow-list that lacks an algorithm shows."""
    with pytest.raises(Refused, match=r"\w+"):
        kind(part(address, audience="another")).verify(token)
    for look in ("verify", "verify_signature"):
        with pytest.raises(Refused, match=r"\w+"):
            getattr(kind(part(address, algorithms=("ES384",))), look)(token)


@KINDS
def test_an_expired_token_is_refused_but_for_its_signature(
    kind: Callable[[VerifierPart], Client], manager: KeyManager, address: str
) -> None:
    """That is how a revoked key can be tried for longer than its tokens live."""
    with Signer(manager.store, "payments", background=False) as signer:
        token = signer.sign({"sub": "me", "aud": AUDIENCE, "jti": "t1"}, ttl=timedelta(seconds=1))
    client, clock, expires = kind(part(address)), SystemClock(), ticket_of(token).expires
    until(lambda: clock.wall() > expires + 1_000)  # joserfc counts whole seconds
    with pytest.raises(Refused):
        client.verify(token)
    client.verify_signature(token)


@KINDS
def test_keys_that_can_t_be_fetched_are_no_verdict(
    kind: Callable[[VerifierPart], Client], manager: KeyManager, token: str
) -> None:
    """Neither where nobody listens, nor where the answer is an error."""
    with running(create_app(manager.store, operator_pages=False)) as address:
        elsewhere = f"{address}/unknown/.well-known/jwks.json"
        with pytest.raises(NoAnswer):
            kind(part(elsewhere)).verify(token)
    with pytest.raises(NoAnswer):
        kind(part(f"{address}/payments/.well-known/jwks.json")).verify(token)


@KINDS
def test_a_revoked_key_is_refused_by_the_bound(
    kind: Callable[[VerifierPart], Client], manager: KeyManager, address: str, token: str
) -> None:
    """Each of them, set up as the fleet does, lets the key go in time."""
    client, clock = kind(part(address)), SystemClock()
    client.verify_signature(token)
    active = manager.keyring("payments").active
    assert active is not None
    bound = manager.revocation_bound(manager.revoke("payments", active.kid, reason="leaked"), active.kid)
    assert bound is not None
    until(lambda: clock.wall() > bound)
    with pytest.raises(Refused):
        client.verify_signature(token)


def test_a_client_that_never_forgets_still_accepts_a_revoked_key(
    manager: KeyManager, address: str, token: str
) -> None:
    """PyJWT's cache of keys has no age: who turns it on breaks the bound."""
    client, clock = PyJWTClient(part(address, forgets=False)), SystemClock()
    client.verify_signature(token)
    active = manager.keyring("payments").active
    assert active is not None
    bound = manager.revocation_bound(manager.revoke("payments", active.kid, reason="leaked"), active.kid)
    assert bound is not None
    until(lambda: clock.wall() > bound)
    client.verify_signature(token)
