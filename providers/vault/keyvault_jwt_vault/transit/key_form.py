"""What Transit calls the keys and signatures of each JWS algorithm.

https://openbao.org/api-docs/secret/transit/ and, for Vault Enterprise's names of ML-DSA,
https://developer.hashicorp.com/vault/api-docs/secret/transit.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.jwk import MLDSA_PUBLIC, VerificationKey

from ..errors import NoSuchAlgorithm, ServerFailed, WrongTransitKey

_NO_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeyForm:
    """One algorithm: `types` make a key, tried in turn, and `options` go with each signature."""

    algorithm: str
    types: tuple[Mapping[str, str], ...]
    options: Mapping[str, str] = field(default_factory=lambda: _NO_OPTIONS)

    def public_half(self, told: object) -> VerificationKey:
        """Return a version's public half from what Transit tells of it.

        Raises `ServerFailed` for what can't be read, and `WrongKeyType` for another algorithm's.
        """
        text = told.get("public_key") if isinstance(told, dict) else None
        try:
            if not isinstance(text, str):
                raise TypeError
            key: VerificationKey = self._loaded(text)
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise ServerFailed(
                f"Transit tells no public half of an {self.algorithm} key",
                why="its answer lacks one, or one that can be read",
                fix="see the type of the key with `bao read`",
            ) from None
        algorithm_named(self.algorithm).check(key)
        return key

    def signature(self, text: str) -> bytes:
        """Return the bytes of what follows `vault:vN:`; raises `ValueError`."""
        if "marshaling_algorithm" in self.options:
            return urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return b64decode(text, validate=True)

    def require_type(self, name: str, data: Mapping[str, Any]) -> None:
        """Raise `WrongTransitKey` unless the key is of our type, made in Transit, and can't be let out."""
        if not any(all(data.get(m, value) == value for m, value in kind.items()) for kind in self.types):
            raise _wrong(name, f"it is of type {data.get('type')!r}, which does not sign {self.algorithm}")
        for member in ("exportable", "allow_plaintext_backup", "derived", "imported_key"):
            if data.get(member):
                raise _wrong(name, f"it has {member} set")

    def _loaded(self, text: str) -> Any:
        if text.startswith("-----BEGIN"):
            return serialization.load_pem_public_key(text.encode("ascii"))
        try:
            raw = b64decode(text, validate=True)
        except binascii.Error:
            raise ValueError from None
        kind = MLDSA_PUBLIC.get(self.algorithm, ed25519.Ed25519PublicKey)
        return kind.from_public_bytes(raw)


def key_form(algorithm: str) -> KeyForm:
    """Return the row of an exact `alg` name; raises `NoSuchAlgorithm` for one that Transit does not sign."""
    form = KEY_FORMS.get(algorithm)
    if form is None:
        raise NoSuchAlgorithm(
            f"Transit signs no {algorithm}",
            why="it has no such keys, or would give their secret to whoever verifies",
            fix="use one of " + ", ".join(KEY_FORMS),
        )
    return form


def _wrong(name: str, why: str) -> WrongTransitKey:
    return WrongTransitKey(
        f"the Transit key {name!r} can't be used for a keyring",
        why=why,
        fix="find out who made or changed it; let the keyring have another place or Transit mount",
    )


def _ecdsa(algorithm: str, curve: str, size: int) -> KeyForm:
    options = {"marshaling_algorithm": "jws", "hash_algorithm": f"sha2-{size}"}
    return KeyForm(algorithm, ({"type": f"ecdsa-{curve}"},), options)


def _rsa(algorithm: str, size: int) -> KeyForm:
    scheme = (
        {"signature_algorithm": "pss", "salt_length": "hash"}
        if algorithm.startswith("PS")
        else {"signature_algorithm": "pkcs1v15"}
    )
    return KeyForm(algorithm, ({"type": "rsa-3072"},), scheme | {"hash_algorithm": f"sha2-{size}"})


def _mldsa(size: int) -> KeyForm:
    """OpenBao has a type for each size; Vault Enterprise (1.19 and above) one type with a parameter."""
    enterprise = {"type": "ml-dsa", "parameter_set": str(size)}
    return KeyForm(f"ML-DSA-{size}", ({"type": f"mldsa-{size}"}, enterprise))


KEY_FORMS: Final[Mapping[str, KeyForm]] = MappingProxyType(
    {
        form.algorithm: form
        for form in (
            _ecdsa("ES256", "p256", 256),
            _ecdsa("ES384", "p384", 384),
            _ecdsa("ES512", "p521", 512),
            KeyForm("Ed25519", ({"type": "ed25519"},)),
            *(_rsa(f"{scheme}{size}", size) for scheme in ("RS", "PS") for size in (256, 384, 512)),
            *(_mldsa(size) for size in (44, 65, 87)),
        )
    }
)
"""Every algorithm that Transit signs, by its exact `alg` name."""
