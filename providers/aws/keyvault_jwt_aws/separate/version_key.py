"""VersionKey: what one version of one document is sealed under.

It is derived from what it seals, so that the same write is the same bytes when it is repeated, as
Secrets Manager asks of a token.  That is no weaker than a random key: a document that has anything
to hide holds a private half, and whoever could guess that needs no key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault_jwt.store import DocumentName, Version

KEY_BYTES: Final = 32
_NONCE: Final = bytes(12)
"""Of NIST SP 800-38D's uses, each key has one: its version's data."""


@dataclass(frozen=True, slots=True)
class VersionKey:
    """An AES-256-GCM key for one version; its secret part shows nowhere."""

    name: DocumentName
    version: Version
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, name: DocumentName, version: Version, data: bytes) -> Self:
        """Return the key for this data (RFC 5869, HKDF-SHA-256)."""
        secret = HKDF(SHA256(), KEY_BYTES, salt=None, info=_place(name, version)).derive(data)
        return cls(name, version, secret)

    def seal(self, data: bytes) -> bytes:
        """Return the data sealed, 16 bytes longer; it opens as this version of this document only."""
        return AESGCM(self.secret).encrypt(_NONCE, data, _place(self.name, self.version))

    def open(self, sealed: bytes) -> bytes | None:
        """Return the data; None for what was not sealed under this key."""
        try:
            return AESGCM(self.secret).decrypt(_NONCE, sealed, _place(self.name, self.version))
        except InvalidTag:
            return None


def _place(name: DocumentName, version: Version) -> bytes:
    return f"keyvault-jwt version {name} {version}".encode()
