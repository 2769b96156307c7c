"""What a signer takes from its document: the key, the issuer, the terms, a remote signer's reference."""

from __future__ import annotations

from datetime import timedelta

import jwt
import msgspec
import pytest

from keyvault_jwt import document
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import (
    IssuerMismatch,
    KeyMismatch,
    MissingExtra,
    NoActiveKey,
    TokenRefused,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentKind
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.signer.conftest import CLAIMS, ISSUER, SIGNING, alarms


def test_the_key_switches_at_the_next_read(
    signer: Signer, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """After a rotation the next read signs with the new key, and says so once."""
    old = signer.kid
    clock.advance(100)
    new = manager.rotate("payments").keyring.active
    assert new is not None
    assert signer.kid == old
    heard.clear()
    signer.refresh()
    signer.refresh()
    assert signer.kid == new.kid != old
    assert [(event.name, event.facts["kid"]) for event in heard] == [("signer.changed", new.kid)]


def test_without_an_active_key_nothing_is_signed(
    signer: Signer, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """A document whose key is None stops the signer at once, loudly, and a later key starts it again."""
    for record in manager.keyring("payments").records:
        manager.revoke("payments", record.kid, reason="leaked")
    signer.refresh()
    with pytest.raises(NoActiveKey):
        signer.sign(CLAIMS)
    assert signer.kid is None
    assert "signer.changed" in alarms(heard)
    clock.advance(4_000)
    manager.reconcile("payments")
    signer.refresh()
    signer.sign(CLAIMS)


def test_an_issuer_that_is_not_the_keyrings_is_refused(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A signer made for another issuer signs nothing, and says which issuer the keyring has."""
    Signer(store, "payments", issuer=ISSUER, clock=clock, background=False).sign(CLAIMS)
    with pytest.raises(IssuerMismatch, match=ISSUER):
        Signer(store, "payments", issuer=ISSUER + "/", clock=clock, background=False).sign(CLAIMS)


def test_a_policy_change_is_obeyed_at_the_next_read(
    signer: Signer, manager: KeyManager, clock: FakeClock
) -> None:
    """A shorter L holds from the next read on."""
    manager.change_policy("payments", RotationPolicy(**{**FAST.model_dump(), "token_ttl": "1s"}))
    signer.refresh()
    with pytest.raises(TokenRefused, match="longer than 1s"):
        signer.sign(CLAIMS, ttl=timedelta(seconds=2))


def test_a_private_half_of_another_key_is_never_used(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A signing document whose halves don't match is refused."""
    keyring = manager.keyring("payments")
    signing = document.derive(DocumentKind.SIGNING, keyring)
    assert isinstance(signing, document.SigningDocument)
    assert signing.key is not None
    other = LocalKeyFactory().make("ES256")
    wrong = msgspec.structs.replace(signing, key=msgspec.structs.replace(signing.key, private=other.private))
    found = store.read(SIGNING)
    assert found is not None
    store.replace(SIGNING, document.derived_draft(DocumentKind.SIGNING, wrong), expected=found.version)
    with pytest.raises(KeyMismatch):
        Signer(store, "payments", clock=clock, background=False).sign(CLAIMS)


class RemoteStore(FaultyStore):
    """A store that keeps private halves to itself and signs by reference."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, FreshKey] = {}

    def make(self, algorithm: str) -> FreshKey:
        fresh = LocalKeyFactory().make(algorithm)
        self.keys[f"transit/{fresh.kid}"] = fresh
        return FreshKey(
            kid=fresh.kid, algorithm=algorithm, public=fresh.public, reference=f"transit/{fresh.kid}"
        )

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        assert (ring, self.keys[reference].algorithm) == ("payments", algorithm)

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        fresh = self.keys[reference]
        assert fresh.private is not None
        return ALGORITHMS[algorithm].signer(load_private(algorithm, fresh.private))(data)


def test_a_key_held_remotely_signs_through_the_store(clock: FakeClock) -> None:
    """With a reference in place of the private half, the store signs and PyJWT accepts."""
    store = RemoteStore()
    manager = KeyManager(store, clock=clock, key_factory=store)
    manager.create("payments", FAST, issuer=ISSUER)
    token = Signer(store, "payments", clock=clock, background=False).sign(CLAIMS)
    keys = jwt.PyJWKSet.from_json(manager.jwks("payments").decode())
    jwt.api_jws.decode(token, keys[jwt.get_unverified_header(token)["kid"]], algorithms=["ES256"])


def test_a_reference_without_a_remote_signer_is_said(clock: FakeClock) -> None:
    """The same keyring through a store that can't sign is one clear error."""
    remote, plain = RemoteStore(), FaultyStore()
    KeyManager(remote, clock=clock, key_factory=remote).create("payments", FAST, issuer=ISSUER)
    plain.restore(remote.backup())
    with pytest.raises(MissingExtra, match="remote signer"):
        Signer(plain, "payments", clock=clock, background=False).sign(CLAIMS)
