"""Every algorithm that Transit signs, from `create` to a verified token."""

from __future__ import annotations

import json
import urllib.error

import jwt
import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt_vault import open_url
from keyvault_jwt_vault.errors import NoSuchAlgorithm
from tests.vault.transit.conftest import ISSUER, MOUNT, RING, Workshop, name

ASYMMETRIC = [row.name for row in ALGORITHMS.values() if not row.symmetric]


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_token_signed_in_transit_is_accepted(workshop: Workshop, algorithm: str) -> None:
    """Our verifier takes it, and PyJWT where it knows the algorithm."""
    workshop.create(algorithm)
    token = workshop.token()
    assert workshop.claims(token, algorithm)["sub"] == "u1"
    if algorithm.startswith("ML-DSA"):
        return  # PyJWT knows none
    keys = json.loads(workshop.manager.jwks(RING))["keys"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in keys if key["kid"] == kid)
    known = "EdDSA" if algorithm == "Ed25519" else algorithm
    payload, _, signature = token.rpartition(".")
    verifies = jwt.get_algorithm_by_name(known)
    raw = jwt.utils.base64url_decode(signature)
    assert verifies.verify(payload.encode(), jwt.PyJWK(key, known).key, raw)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "ML-DSA-44"])
def test_no_private_half_is_let_out(workshop: Workshop, algorithm: str) -> None:
    """No document holds one, and Transit exports and backs up none."""
    workshop.create(algorithm)
    records = workshop.manager.keyring(RING).records
    assert all(record.private is None and record.reference for record in records)
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING, DocumentKind.PUBLIC):
        found = workshop.store.read(DocumentName(RING, kind))
        assert found is not None
        assert b'"private":"' not in found.draft.data
    with open_url(workshop.url.partition("?")[0]) as plain:
        workshop.manages(plain).create("plain", issuer=ISSUER)
        held = plain.read(DocumentName("plain", DocumentKind.SIGNING))
        assert held is not None
        assert b'"private":"' in held.draft.data, "what is searched for is how a document would hold it"
    key = name(workshop.references[0])
    for path in (f"export/signing-key/{key}", f"backup/{key}"):
        with pytest.raises(urllib.error.HTTPError):
            workshop.bao.request("GET", f"{MOUNT}/{path}")
    told = workshop.key(workshop.references[0])
    assert (told["exportable"], told["allow_plaintext_backup"], told["derived"]) == (False, False, False)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_algorithms_that_transit_lacks_are_named(workshop: Workshop, algorithm: str) -> None:
    """A symmetric keyring is refused with the algorithms there are; nothing is written."""
    with pytest.raises(NoSuchAlgorithm, match=r"use one of ES256, .*ML-DSA-87"):
        workshop.create(algorithm)
    assert workshop.store.names() == []


def test_one_transit_key_for_each_algorithm(workshop: Workshop) -> None:
    """During a migration, keys of the new algorithm are versions of another Transit key."""
    manager = workshop.create("ES256")
    manager.migrate(RING, to="Ed25519")
    names = {name(reference) for reference in workshop.references}
    assert {n.split("-RING-")[1] for n in names} == {"payments-ALG-ES256", "payments-ALG-Ed25519"}
    listed = workshop.bao.request("LIST", f"{MOUNT}/keys/")["data"]["keys"]
    assert names <= set(listed)
