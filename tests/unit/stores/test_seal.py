"""A sealed document opens under its key, name, revision and write, unaltered, or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault_jwt.errors import CorruptDocument, DocumentError, ForeignDocument, NewerSchema, WrongMasterKey
from keyvault_jwt.jwk import Secret
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.seal import OVERHEAD, Seal

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
DRAFT = Draft(b"canary-private-half", 12, uuid4())


@pytest.fixture
def seal() -> Seal:
    """A seal under a fresh key."""
    return Seal(Secret(os.urandom(32)))


@pytest.fixture
def sealed(seal: Seal) -> bytes:
    """DRAFT, sealed as NAME."""
    return seal.close(NAME, DRAFT)


@pytest.mark.parametrize("data", [b"", b"\0", b"\n\n", bytes(range(256)), os.urandom(1_000_000)], ids=len)
@pytest.mark.parametrize("revision", [0, 1, 2**63 - 1])
def test_opens_what_it_closed(seal: Seal, data: bytes, revision: int) -> None:
    """Bytes, revision and write_id come back; the overhead stays under its stated bound."""
    name = DocumentName("z" * 63, DocumentKind.ARCHIVE, 10**17)
    draft = Draft(data, revision, uuid4())
    closed = seal.close(name, draft)
    assert seal.open(name, closed) == draft
    assert len(closed) <= len(data) + OVERHEAD


def test_format_is_what_the_docstring_says() -> None:
    """A document sealed here opens by an implementation written from the documented format alone."""
    master = os.urandom(32)
    closed = Seal(Secret(master)).close(NAME, DRAFT)
    header, _, rest = closed.partition(b"\n")
    magic, version, name, revision, write_id, _key_id, nonce, _crc = header.decode().split(" ")
    assert (magic, version, name, revision) == ("keyvault-jwt.sealed", "v1", "payments/authority", "12")
    assert UUID(write_id) == DRAFT.write_id
    info = b"keyvault-jwt file store v1 document payments/authority"
    key = HKDF(SHA256(), 32, salt=None, info=info).derive(master)
    assert AESGCM(key).decrypt(bytes.fromhex(nonce), rest, header + b"\n") == DRAFT.data


def test_no_two_seals_are_alike(seal: Seal) -> None:
    """Each seal draws a nonce of its own: sealing the same draft again gives other bytes throughout."""
    nonces = {seal.close(NAME, DRAFT).split(b" ")[6] for _ in range(100)}
    bodies = {seal.close(NAME, DRAFT).partition(b"\n")[2] for _ in range(100)}
    assert (len(nonces), len(bodies)) == (100, 100)


def test_plain_text_is_not_there(seal: Seal, sealed: bytes) -> None:
    """Neither the document nor the master key is in the sealed bytes, nor in the seal's repr."""
    assert b"canary" not in sealed
    assert seal._master.reveal() not in sealed
    assert seal._master.reveal().hex() not in sealed.decode("latin-1") + repr(seal)


def test_key_id_is_no_part_of_any_key(seal: Seal) -> None:
    """The id that a header shows is derived apart from what encrypts."""
    assert bytes.fromhex(seal.key_id) not in seal._master.reveal()
    assert bytes.fromhex(seal.key_id) not in seal._derived(f"document {NAME}", 32)
    assert seal.key_id == Seal(seal._master).key_id
    assert re.fullmatch("[0-9a-f]{16}", seal.key_id)


def test_every_flipped_bit_is_noticed(seal: Seal, sealed: bytes) -> None:
    """One flipped bit anywhere is an error; past the format's name and version it is CorruptDocument."""
    magic = len(b"keyvault-jwt.sealed v1 ")
    for place in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[place] ^= 1 << bit
            with pytest.raises(DocumentError if place < magic else CorruptDocument) as caught:
                seal.open(NAME, bytes(altered))
            assert "canary" not in str(caught.value)


def test_every_truncation_is_noticed(seal: Seal, sealed: bytes) -> None:
    """Cut off at any length, down to nothing, or with a byte too many, it is CorruptDocument."""
    for length in range(len(sealed)):
        with pytest.raises(CorruptDocument):
            seal.open(NAME, sealed[:length])
    with pytest.raises(CorruptDocument):
        seal.open(NAME, sealed + b"\0")


def test_wrong_key_is_told_from_damage(sealed: bytes) -> None:
    """Another master key is WrongMasterKey with both ids, as long as the header is whole."""
    other = Seal(Secret(os.urandom(32)))
    with pytest.raises(WrongMasterKey, match=other.key_id):
        other.open(NAME, sealed)
    with pytest.raises(CorruptDocument):
        other.open(NAME, sealed[:40] + b"x" + sealed[41:])


@pytest.mark.parametrize(
    "elsewhere",
    [
        DocumentName("payments", DocumentKind.SIGNING),
        DocumentName("billing", DocumentKind.AUTHORITY),
        DocumentName("payments", DocumentKind.ARCHIVE, 0),
    ],
    ids=str,
)
def test_document_moved_to_another_name(seal: Seal, sealed: bytes, elsewhere: DocumentName) -> None:
    """A file copied over another document's is ForeignDocument, and says whose it is."""
    with pytest.raises(ForeignDocument, match="payments/authority"):
        seal.open(elsewhere, sealed)


@pytest.fixture
def forged(sealed: bytes) -> Callable[..., bytes]:
    """Rewrite one field of the header, with a checksum that fits."""
    import zlib

    def forge(field: int, value: bytes) -> bytes:
        header, _, body = sealed.partition(b"\n")
        fields = header.split(b" ")[:-1]
        fields[field] = value
        stated = b" ".join(fields) + b" "
        return stated + b"%08x\n" % zlib.crc32(stated) + body

    return forge


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (2, b"payments/signing"),
        (3, b"13"),
        (4, str(uuid4()).encode()),
        (6, os.urandom(12).hex().encode()),
    ],
    ids=["name", "revision", "write_id", "nonce"],
)
def test_header_is_authenticated(seal: Seal, forged: Callable[..., bytes], field: int, value: bytes) -> None:
    """A header rewritten with a checksum that fits still doesn't pass: it is associated data."""
    name = DocumentName("payments", DocumentKind.SIGNING) if field == 2 else NAME
    with pytest.raises(CorruptDocument):
        seal.open(name, forged(field, value))


def test_unaltered_header_survives_the_forger(seal: Seal, forged: Callable[..., bytes]) -> None:
    """The forger of these tests changes nothing but what it is told to."""
    assert seal.open(NAME, forged(3, b"12")) == DRAFT


@pytest.mark.parametrize(
    ("field", "value"), [(3, b"012"), (3, b"-1"), (4, b"0" * 32), (6, b"ABCDEF" * 4), (5, b"")]
)
def test_header_has_one_spelling(seal: Seal, forged: Callable[..., bytes], field: int, value: bytes) -> None:
    """A header spelled otherwise than it is written is CorruptDocument."""
    with pytest.raises(CorruptDocument):
        seal.open(NAME, forged(field, value))


def test_newer_format(seal: Seal, sealed: bytes) -> None:
    """A document in a format to come is NewerSchema, whatever follows its version."""
    for newer in (sealed.replace(b" v1 ", b" v2 ", 1), b"keyvault-jwt.sealed v10 and more\n"):
        with pytest.raises(NewerSchema, match="upgrade"):
            seal.open(NAME, newer)


@pytest.mark.parametrize(
    "data", [b"{}", b"-----BEGIN PRIVATE KEY-----\n", b"keyvault-jwt.unsealed", b"\0" * 100]
)
def test_foreign_bytes(seal: Seal, data: bytes) -> None:
    """What was never sealed here is ForeignDocument."""
    with pytest.raises(ForeignDocument):
        seal.open(NAME, data)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_of_another_length(length: int) -> None:
    """A master key of another length is refused before anything is sealed with it."""
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(Secret(bytes(length)))
