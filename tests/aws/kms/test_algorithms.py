"""Every algorithm that KMS signs, from `create` to a token that libraries of others verify."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from joserfc import jws
from joserfc.jwk import import_key

from keyvault_jwt import base64url
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt_aws.kms.errors import MessageTooLong, NoSuchAlgorithm
from keyvault_jwt_aws.kms.key_form import KEY_FORMS, LONGEST_MESSAGE
from tests.aws.kms.conftest import RING, Workshop

ASYMMETRIC = [row.name for row in ALGORITHMS.values() if not row.symmetric]
LONG = "x" * LONGEST_MESSAGE
MLDSA: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PublicKey,
    "ML-DSA-65": mldsa.MLDSA65PublicKey,
    "ML-DSA-87": mldsa.MLDSA87PublicKey,
}


def require_verified(workshop: Workshop, token: str, algorithm: str) -> None:
    """Fail unless joserfc, or cryptography where joserfc knows no such algorithm, takes the token."""
    payload, _, signature = token.rpartition(".")
    kid = json.loads(base64url.decode(token.partition(".")[0]))["kid"]
    keys = json.loads(workshop.manager.jwks(RING))["keys"]
    key = next(key for key in keys if key["kid"] == kid)
    if algorithm in MLDSA:
        public = MLDSA[algorithm].from_public_bytes(base64url.decode(key["pub"]))
        public.verify(base64url.decode(signature), payload.encode())
        return
    known = {name: key[name] for name in key if name not in {"alg", "use", "key_ops"}}
    assert jws.deserialize_compact(token, import_key(known), algorithms=[algorithm]).payload


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_token_signed_in_kms_is_accepted(workshop: Workshop, algorithm: str) -> None:
    """Our verifier takes it, and a library that is not ours: one that KMS takes whole, and a longer one.

    Of the longer one its digest is signed, for ML-DSA its representative.
    """
    workshop.create(algorithm)
    token = workshop.token()
    assert workshop.claims(token, algorithm)["sub"] == "u1"
    require_verified(workshop, token, algorithm)
    kinds = ["RAW"]
    if algorithm != "Ed25519":
        longer = workshop.token(long=LONG)
        assert workshop.claims(longer, algorithm)["long"] == LONG
        require_verified(workshop, longer, algorithm)
        kinds.append("EXTERNAL_MU" if algorithm in MLDSA else "DIGEST")
    assert [it["MessageType"] for operation, it in workshop.kms.requests if operation == "Sign"] == kinds


def test_ed25519_has_a_longest_token(workshop: Workshop) -> None:
    """Pure Ed25519 has no digest form: exactly 4096 bytes are signed, one more is refused unsent."""
    workshop.create("Ed25519")
    reference = workshop.active.reference or ""
    assert workshop.store.sign(reference, "Ed25519", b"x" * LONGEST_MESSAGE)
    workshop.kms.requests.clear()
    with pytest.raises(MessageTooLong, match="4097 bytes are too many for Ed25519"):
        workshop.store.sign(reference, "Ed25519", b"x" * (LONGEST_MESSAGE + 1))
    assert not workshop.kms.requests


def test_the_table_is_of_names_that_kms_has() -> None:
    """Every spec and signing algorithm is one of the SDK's own model of KMS."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("kms")
    specs, signing = (model.shape_for(it).enum for it in ("KeySpec", "SigningAlgorithmSpec"))
    assert set(KEY_FORMS) == set(ASYMMETRIC)
    for form in KEY_FORMS.values():
        assert set(form.specs) <= set(specs)
        assert form.signing in signing


@pytest.mark.parametrize("algorithm", ["ES256", "ML-DSA-44"])
def test_no_document_holds_a_private_half(workshop: Workshop, algorithm: str) -> None:
    """Records have references, pinned by ARN, and nothing else."""
    workshop.create(algorithm)
    for record in workshop.manager.keyring(RING).records:
        assert record.private is None
        assert record.reference == f"{workshop.kms.of(record.reference).arn}#{record.kid}"
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING, DocumentKind.PUBLIC):
        found = workshop.store.read(DocumentName(RING, kind))
        assert found is not None
        assert b'"private":"' not in found.draft.data


def test_algorithms_that_kms_lacks_are_named(workshop: Workshop) -> None:
    """A symmetric keyring is refused with the algorithms there are; nothing is written or made."""
    with pytest.raises(NoSuchAlgorithm, match=r"use one of ES256, .*ML-DSA-87"):
        workshop.create("HS256")
    assert workshop.store.names() == []
    assert not workshop.kms.keys
