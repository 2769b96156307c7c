"""What can be wrong with Transit, a key in it or a reference to one, is told by a typed error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from keyvault_jwt import document
from keyvault_jwt.remote_signer import RemoteKey
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import errors, open_url
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.transit.key_name import Reference, key_name, key_names
from tests.faulty_store import FAST
from tests.vault.store.fault_proxy import Answers, FaultProxy
from tests.vault.transit.conftest import ISSUER, MOUNT, RING, Workshop, name


@pytest.fixture
def reference(workshop: Workshop) -> str:
    """The reference of the key that signs."""
    workshop.create()
    return workshop.active.reference or ""


@pytest.mark.parametrize(
    "text", ["", "transit", "transit/key", "transit/key#0", "transit/key#x", "/key#1", "transit/k/../e#1#2"]
)
def test_malformed_references_are_refused(workshop: Workshop, text: str) -> None:
    """What is not MOUNT/NAME#VERSION names nothing, and nothing is asked of the server."""
    with pytest.raises(errors.BadReference):
        workshop.store.sign(text, "ES256", b"x")


def test_references_to_other_places_are_refused(workshop: Workshop, reference: str) -> None:
    """Another mount, another place's key, or another algorithm is not signed with."""
    for other in (
        reference.replace("transit/", "other/"),
        reference.replace("secret.", "secret2."),
        f"transit/foreign#{2}",
    ):
        with pytest.raises(
            errors.BadReference, match=r"the store URL names 'transit'|no name of an ES256 key"
        ):
            workshop.store.sign(other, "ES256", b"x")
    with pytest.raises(errors.BadReference):
        workshop.store.sign(reference, "ES384", b"x")


def test_a_signing_document_that_names_another_keyrings_key(workshop: Workshop, reference: str) -> None:
    """Who may write one keyring's documents gets nothing signed with the key of another."""
    workshop.manager.create("users", FAST.model_copy(update={"algorithm": "ES256"}), issuer=ISSUER)
    with workshop.signer() as signer:
        assert signer.sign({"aud": "api"})
    names = {ring: DocumentName(ring, DocumentKind.SIGNING) for ring in (RING, "users")}
    found = {ring: workshop.store.read(each) for ring, each in names.items()}
    ours, theirs = (
        document.decode_signing(ring, there.draft.data) for ring, there in found.items() if there is not None
    )
    forged = document.derived_draft(DocumentKind.SIGNING, msgspec.structs.replace(ours, key=theirs.key))
    mine = found[RING]
    assert mine is not None
    workshop.store.replace(names[RING], forged, expected=mine.version)
    with pytest.raises(errors.BadReference, match="no name of an ES256 key"), workshop.signer() as signer:
        signer.sign({"aud": "api"})


def test_a_key_that_is_gone(workshop: Workshop, reference: str) -> None:
    """A key deleted by hand is missing, for signers and for the rotator."""
    key = f"{MOUNT}/keys/{name(reference)}"
    workshop.bao.request("POST", f"{key}/config", {"deletion_allowed": True})
    workshop.bao.request("DELETE", key)
    with pytest.raises(errors.NoSuchVersion, match="no Transit key"):
        workshop.store.sign(reference, "ES256", b"x")
    alarms = workshop.manages(workshop.store).reconcile(RING).alarms
    assert "vault_transit_missing" in alarms[-1]


def test_a_mount_that_is_none(workshop: Workshop) -> None:
    """A name at which nothing, or another engine, is mounted is told before anything is written."""
    for mount in ("nowhere", "secret"):
        with open_url(workshop.url.replace("=transit", f"={mount}")) as store:
            with pytest.raises(errors.WrongPlace):
                workshop.manages(store).create(RING, issuer="https://id.example")
            assert store.names() == []


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"type": "ecdsa-p384"}, "ecdsa-p384"),
        ({"type": "ecdsa-p256", "exportable": True}, "exportable"),
        ({"type": "ecdsa-p256", "allow_plaintext_backup": True}, "allow_plaintext_backup"),
    ],
)
def test_keys_that_others_made_are_refused(workshop: Workshop, made: dict[str, Any], why: str) -> None:
    """A key of our name, but of another type, or one that can be let out, is not used."""
    address, _ = parse_url(workshop.url)
    workshop.bao.request("POST", f"{MOUNT}/keys/{key_name(address, RING, 'ES256')}", made)
    with pytest.raises(errors.WrongTransitKey, match=why):
        workshop.create()
    assert workshop.store.names() == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"signature": "vault:v9:AAAA"}}',
        b'{"data": {"signature": "vault:v2:"}}',
        b'{"data": {"signature": "AAAA"}}',
        b'{"data": {"signature": 7}}',
        b'{"data": {}}',
    ],
)
def test_answers_that_are_no_signature(
    workshop: Workshop, reference: str, proxy: FaultProxy, body: bytes
) -> None:
    """An answer by another version, or one that is no signature, is refused."""
    with open_url(workshop.url) as store:
        assert store.names()
        proxy.next("POST", Answers(200, body))
        with pytest.raises(errors.ServerFailed, match="no signature by version 2"):
            store.sign(reference.replace(reference[reference.index("#") :], "#2"), "ES256", b"x")


@pytest.mark.parametrize("member", ["latest_version", "min_encryption_version", "min_available_version"])
def test_counts_that_are_none(workshop: Workshop, reference: str, proxy: FaultProxy, member: str) -> None:
    """Where Transit should tell a number stands something else: nothing is trimmed, and it is told."""
    told = {"latest_version": 4, member: "four"}
    keys = [RemoteKey("ES256", workshop.active.kid, reference)]
    with open_url(workshop.url) as store:
        assert store.names()
        proxy.next("GET", Answers(200, json.dumps({"data": told}).encode()))
        with pytest.raises(errors.ServerFailed, match=f"tells no {member}"):
            store.keep(RING, keys)


def test_denied(workshop: Workshop, reference: str, environment: pytest.MonkeyPatch) -> None:
    """A token without the right to sign is told which capability it lacks on which path."""
    policy = 'path "secret/*" { capabilities = ["read", "list"] }'
    environment.setenv("BAO_TOKEN", workshop.bao.token_for(policy))
    path = f"transit/sign/{name(reference)}"
    with (
        open_url(workshop.url) as store,
        pytest.raises(errors.Denied, match=f"create and update on '{path}'"),
    ):
        store.sign(reference, "ES256", b"x")


@pytest.fixture
def other() -> Iterator[BaoServer]:
    """A server to be sealed."""
    with BaoServer() as server:
        server.request("POST", f"sys/mounts/{MOUNT}", {"type": "transit"})
        yield server


def test_sealed(other: BaoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sealed server signs nothing and says so; unsealed, it goes on as before."""
    for key, value in other.environment.items():
        monkeypatch.setenv(key, value)
    workshop = Workshop(other, f"vault://secret/jwt?transit={MOUNT}&deadline=1s")
    with workshop.store:
        workshop.create()
        with workshop.signer() as signer:
            signer.sign({"sub": "u1", "aud": "api"})
            other.seal()
            with pytest.raises(errors.Sealed):
                signer.sign({"sub": "u1", "aud": "api"})
            other.unseal()
            assert signer.sign({"sub": "u1", "aud": "api"})


def test_each_place_keyring_and_algorithm_has_its_own_name(environment: pytest.MonkeyPatch) -> None:
    """Names can't collide, nor can what a policy grants by their beginning; all are names to Transit."""
    urls = ("vault://secret/jwt", "vault://secret/jwt-RING-a", "vault://secret", "vault://secret/-.~J_")
    names = [
        key_name(parse_url(url)[0], ring, algorithm)
        for url in urls
        for ring in ("a", "a-b", "a.", "a-ring-b", "a-alg-es256")
        for algorithm in ("ES256", "ML-DSA-44")
    ]
    assert len(set(names)) == len(names)
    address, _ = parse_url(urls[0])
    granted = [made for made in names if made.startswith(key_names(address, "a"))]
    assert granted == [key_name(address, "a", "ES256"), key_name(address, "a", "ML-DSA-44")]


def test_every_name_is_one_to_transit(workshop: Workshop, environment: pytest.MonkeyPatch) -> None:
    """The odd characters of mounts, prefixes and keyrings come out as a name that Transit takes."""
    for url in ("vault://-odd.~Mount/a/B-/_", "vault://secret/a..b"):
        made = key_name(parse_url(url)[0], "a.b_-", "ML-DSA-44")
        workshop.bao.request("POST", f"{MOUNT}/keys/{made}", {"type": "ed25519"})
        assert str(Reference.parse(f"{MOUNT}/{made}#3")) == f"{MOUNT}/{made}#3"
