"""Private documents at rest: one header line that anyone may read, then AES-256-GCM.

    keyvault-jwt.sealed v1 payments/authority 12 WRITE_ID KEY_ID NONCE CRC32\\n
    ciphertext and 16-byte tag

The header line and nothing else is the associated data: a sealed document can't be given
another name, revision or write, in whatever way it is copied about.
"""

from __future__ import annotations

import re
import secrets
import zlib
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import DocumentError, ForeignDocument, NewerSchema, WrongMasterKey
from ..jwk import Secret
from ..store import DocumentName, Draft
from .damage import corrupt

KEY_BYTES: Final = 32
OVERHEAD: Final = 512
"""More bytes than header and tag ever add."""

_MAGIC: Final = b"keyvault-jwt.sealed v"
_SCHEMA: Final = 1
_SCHEMA_OF: Final = re.compile(re.escape(_MAGIC) + rb"([1-9][0-9]{0,8}) ")
_HEADER: Final = re.compile(
    rb"(?P<stated>"
    + re.escape(_MAGIC)
    + rb"1 (?P<name>[a-z0-9._/-]{1,99}) (?P<revision>0|[1-9][0-9]{0,18})"
    + rb" (?P<write_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    + rb" (?P<key_id>[0-9a-f]{16}) (?P<nonce>[0-9a-f]{24}) )(?P<crc>[0-9a-f]{8})\n"
)


class Seal:
    """Seals and opens documents under one master key.

    Each document's key is derived from the master key and its name (HKDF-SHA-256, RFC 5869), so
    that the 2^32 random nonces that NIST SP 800-38D section 8.3 allows one key are counted by
    document.  The key id is derived apart in the same way and tells nothing of any key.
    """

    __slots__ = ("_master", "key_id")

    def __init__(self, master: Secret) -> None:
        if len(master.reveal()) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._master = master
        self.key_id = self._derived("key id", 8).hex()

    def __repr__(self) -> str:
        return f"Seal(key_id={self.key_id!r})"

    def close(self, name: DocumentName, draft: Draft) -> bytes:
        """Return the sealed form, different each time."""
        nonce = secrets.token_bytes(12)
        stated = f"{name} {draft.revision} {draft.write_id} {self.key_id} {nonce.hex()} ".encode()
        stated = _MAGIC + b"%d " % _SCHEMA + stated
        header = stated + b"%08x\n" % zlib.crc32(stated)
        return header + self._cipher(name).encrypt(nonce, draft.data, header)

    def open(self, name: DocumentName, data: bytes) -> Draft:
        """Return what was sealed; raises the `DocumentError` that tells why it can't.

        `WrongMasterKey` is told from damage by the key id, under a checksum of the header.
        """
        found = _HEADER.match(data)
        if found is None or zlib.crc32(found["stated"]) != int(found["crc"], 16):
            raise _unreadable(name, data)
        if found["name"] != str(name).encode():
            raise ForeignDocument(
                f"the file of {name} holds {found['name'].decode()}",
                why="it was moved or copied there",
                fix="restore the right file; nothing was changed",
            )
        if found["key_id"] != self.key_id.encode():
            raise WrongMasterKey(
                f"{name} is sealed under master key {found['key_id'].decode()}",
                why=f"the one at hand is {self.key_id}",
                fix="set KEYVAULT_JWT_MASTER_KEY_FILE to the right key's file; nothing was changed",
            )
        try:
            nonce = bytes.fromhex(found["nonce"].decode())
            plain = self._cipher(name).decrypt(nonce, data[found.end() :], found[0])
        except InvalidTag:
            raise corrupt(name, "its bytes are not those that were sealed") from None
        return Draft(plain, int(found["revision"]), UUID(found["write_id"].decode()))

    def _cipher(self, name: DocumentName) -> AESGCM:
        return AESGCM(self._derived(f"document {name}", KEY_BYTES))

    def _derived(self, purpose: str, length: int) -> bytes:
        info = f"keyvault-jwt file store v{_SCHEMA} {purpose}".encode()
        return HKDF(SHA256(), length, salt=None, info=info).derive(self._master.reveal())


def _unreadable(name: DocumentName, data: bytes) -> DocumentError:
    schema = _SCHEMA_OF.match(data)
    if schema and int(schema[1]) > _SCHEMA:
        return NewerSchema(
            f"{name} is sealed in format v{int(schema[1])}",
            why=f"this version knows v{_SCHEMA}",
            fix="upgrade keyvault-jwt here; nothing was changed",
        )
    if not data.startswith(_MAGIC[: len(data)]):
        return ForeignDocument(
            f"the file of {name} was not written by keyvault-jwt",
            why="it does not begin like a sealed document",
            fix="restore the right file; nothing was changed",
        )
    return corrupt(name, "it is cut off" if data.find(b"\n", 0, OVERHEAD) < 0 else "its header is altered")
