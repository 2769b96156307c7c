"""KeyBook: what KMS tells of keys, asked once for each, checked and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from keyvault_jwt import jwk
from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.errors import KeyRefused
from keyvault_jwt.jwk import VerificationKey

from ..errors import ServiceFailed
from . import keyring_tag
from .errors import WrongKey
from .key_form import KeyForm
from .kms import Kms
from .reference import Reference


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key in KMS whose public half fits its reference; `keyring` is the tag that says whose it is."""

    arn: str
    keyring: str
    algorithm: str
    public: VerificationKey = field(repr=False)


class KeyBook:
    """The keys that were asked for so far.  A key's public half, spec and usage never change."""

    def __init__(self, kms: Kms) -> None:
        self._kms = kms
        self._known: dict[Reference, KmsKey] = {}

    def key(self, which: Reference, form: KeyForm) -> KmsKey:
        """Return the key; the first time, two requests are made: GetPublicKey and ListResourceTags.

        Raises `WrongKey` for one that does not fit, and other `StoreError`s.
        """
        known = self._known.get(which)
        if known is None:
            public = self.public_half(which.arn, form)
            if jwk.thumbprint(jwk.public_members(public)) != which.fingerprint:
                raise _wrong(which.arn, "its public half is another one than it was made with")
            known = self._known[which] = self._tagged(which.arn, public)
        if known.algorithm != form.algorithm:
            raise _wrong(which.arn, f"its tag says {known.algorithm[:40]!r}, and not {form.algorithm}")
        return known

    def public_half(self, arn: str, form: KeyForm) -> VerificationKey:
        """Return the public half of a key that can sign by the form; raises as `key` does."""
        told = self._kms.ask("GetPublicKey", arn)
        usage, spec = told.get("KeyUsage"), told.get("KeySpec", told.get("CustomerMasterKeySpec"))
        if usage != "SIGN_VERIFY" or spec not in form.specs:
            raise _wrong(arn, f"it is of spec {spec} for {usage}, which does not sign {form.algorithm}")
        if form.signing not in told.get("SigningAlgorithms", ()):
            raise _wrong(arn, f"it does not offer {form.signing}")
        public = loaded(arn, told)
        try:
            algorithm_named(form.algorithm).check(public)
        except KeyRefused as refused:
            raise _wrong(arn, f"its public half is of another kind: {refused.what}") from None
        return public

    def _tagged(self, arn: str, public: VerificationKey) -> KmsKey:
        tags = keyring_tag.told(self._kms.ask("ListResourceTags", arn).get("Tags", ()))
        return KmsKey(arn, tags.get(keyring_tag.KEYRING, ""), tags.get(keyring_tag.ALGORITHM, ""), public)


def loaded(arn: str, told: Mapping[str, Any]) -> VerificationKey:
    """Return the public half in an answer to GetPublicKey; raises `ServiceFailed` if there is none."""
    try:
        key: Any = serialization.load_der_public_key(told.get("PublicKey", b""))
        jwk.public_members(key)
    except (TypeError, ValueError, AttributeError, UnsupportedAlgorithm, KeyRefused):
        raise ServiceFailed(
            f"KMS tells no public half of {arn} that can be read",
            why="its answer lacks one, or one of a kind that JWTs know",
            fix="see the key with `aws kms get-public-key`",
        ) from None
    public: VerificationKey = key
    return public


def _wrong(arn: str, why: str) -> WrongKey:
    return WrongKey(
        f"the KMS key {arn} can't be used for a keyring",
        why=why,
        fix="find out who made it or changed the document that names it; `revoke` the key",
    )
