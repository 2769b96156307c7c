"""With the policy that `access` prints and no other, each role does its whole work."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

import keyvault_jwt as kj
from keyvault_jwt.keys import KeyState
from keyvault_jwt.server import create_app, running
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.store_roles_contract import StoreRolesContract
from keyvault_jwt_vault import VaultStore
from tests.faulty_store import FAST
from tests.vault.policies.conftest import ISSUER, RING, SYMMETRIC, House
from tests.waiting import until

SCOPES = ["*", RING]


def token(house: House, store: VaultStore, ring: str = RING) -> str:
    """Return a token of the key that signs now."""
    with kj.Signer(store, ring, issuer=ISSUER, clock=house.clock, background=False) as signer:
        return signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))


def subject(house: House, store: VaultStore, ring: str, algorithm: str) -> str:
    """Return whom a new token of the keyring is about, as a verifier that reads the store takes it."""
    with kj.JWKSCache.from_store(store, ring, clock=house.clock) as cache:
        verifier = kj.Verifier(
            cache, issuer=ISSUER, audience="api", algorithms=[algorithm], clock=house.clock
        )
        claims = verifier.verify(token(house, house.enter("signer", ring), ring))
    found: str = claims["sub"]
    return found


@pytest.mark.parametrize("ring", ["*", "wages"])
@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_rotator_leads_a_key_from_birth_to_destruction(house: House, ring: str, algorithm: str) -> None:
    """Create, rotate, retire, destroy, revoke and purge take nothing that the policy does not grant."""
    store = house.enter("rotator", ring)
    manager = house.manages(store)
    manager.create("wages", FAST.model_copy(update={"algorithm": algorithm}), issuer=ISSUER)
    first = manager.keyring("wages").active
    assert first is not None
    for _ in range(150):
        house.clock.advance(200)
        manager.reconcile("wages")
    assert manager.keyring("wages").record(first.kid).state is KeyState.DESTROYED
    now = manager.keyring("wages").active
    assert now is not None
    manager.revoke("wages", now.kid, reason="leaked in a log", accept_refusals=True)
    assert manager.keyring("wages").record(now.kid).state is KeyState.COMPROMISED
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING):
        path = f"{house.prefix}/wages/{kind}"
        settings = {"cas_required": True, "max_versions": 9}
        house.bao.request("POST", f"secret/metadata/{path}", settings)
    manager.rotate("wages", emergency=True, accept_refusals=True)
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING):
        name = DocumentName("wages", kind)
        seen = store.read(name)
        assert seen is not None
        store.purge(name, before=seen.version)
        told = house.bao.request("GET", f"secret/metadata/{house.prefix}/{name}")["data"]["versions"]
        assert [number for number, version in told.items() if not version["destroyed"]] == [
            max(told, key=int)
        ]


def test_rotator_of_every_keyring_finds_them(house: House) -> None:
    """A scheduler lists what there is to rotate."""
    assert house.manager.names() == (SYMMETRIC, RING)


@pytest.mark.parametrize("ring", SCOPES)
def test_signer_signs(house: House, ring: str) -> None:
    """A signer reads the private half and makes a token that verifies."""
    assert token(house, house.enter("signer", ring)).count(".") == 2


@pytest.mark.parametrize("ring", SCOPES)
def test_publisher_publishes(house: House, ring: str) -> None:
    """A server over HTTP answers with the set; that of every keyring finds out which there are."""
    app = create_app(house.enter("publisher", ring), rings=None if ring == "*" else [ring])
    with running(app) as url, httpx.Client(trust_env=False, base_url=url) as client:
        until(lambda: client.get(f"/{RING}/.well-known/jwks.json").status_code == 200)
        published = client.get(f"/{RING}/.well-known/jwks.json").json()
        others = client.get(f"/{SYMMETRIC}/.well-known/openid-configuration").status_code
    active = house.manager.keyring(RING).active
    assert active is not None
    assert active.kid in {key["kid"] for key in published["keys"]}
    assert not any("d" in key for key in published["keys"])
    assert (others == 404) is (ring != "*")


@pytest.mark.parametrize("ring", SCOPES)
def test_verifier_verifies(house: House, ring: str) -> None:
    """A verifier reads the public halves from the store."""
    assert subject(house, house.enter("verifier", ring), RING, "ES256") == "u1"


def test_verifier_of_a_symmetric_keyring_verifies(house: House) -> None:
    """Granted a symmetric keyring by name, a verifier reads its secrets."""
    assert subject(house, house.enter("verifier", SYMMETRIC), SYMMETRIC, "HS256") == "u1"


@pytest.mark.parametrize("ring", SCOPES)
def test_auditor_sees_what_was_published_archived_and_written(house: House, ring: str) -> None:
    """An auditor reads public documents, archives, and when each document was written."""
    store, session = house.enter("auditor", ring), house.session("auditor", ring)
    for name in (DocumentName(RING, DocumentKind.PUBLIC), DocumentName(RING, DocumentKind.ARCHIVE, 1)):
        assert store.read(name) is not None
    for kind in ("authority", "signing", "public"):
        told = session.request("GET", f"secret/metadata/{house.prefix}/{RING}/{kind}").data
        assert told["updated_time"]
    leaves = session.request("LIST", f"secret/metadata/{house.prefix}/{RING}/").data["keys"]
    assert sorted(leaves) == ["archive-1", "authority", "public", "signing"]


@pytest.mark.parametrize("role", ["rotator", "signer", "publisher", "verifier", "auditor"])
def test_token_ends_with_the_store(house: House, role: str) -> None:
    """Each role may end its own token, and has when its store is closed."""
    before = _tokens(house)
    with house.enter(role) as store:
        store.read(DocumentName(RING, DocumentKind.SIGNING if role == "signer" else DocumentKind.PUBLIC))
        assert len(_tokens(house) - before) == 1
    assert _tokens(house) == before


def _tokens(house: House) -> set[str]:
    return set(house.bao.request("LIST", "auth/token/accessors")["data"]["keys"])


class TestContract(StoreRolesContract):
    """The conformance suite of roles, with the printed policies."""

    @pytest.fixture
    def owner(self, house: House) -> VaultStore:
        """The rotator's view."""
        return house.enter("rotator")

    @pytest.fixture
    def signer(self, house: House) -> VaultStore:
        """The signer's view."""
        return house.enter("signer")

    @pytest.fixture
    def publisher(self, house: House) -> VaultStore:
        """The publisher's view."""
        return house.enter("publisher")
