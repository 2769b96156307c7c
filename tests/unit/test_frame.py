"""The frame around a document: nothing truncated, altered, foreign or newer passes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keyvault_jwt import RotationPolicy, frame
from keyvault_jwt.errors import CorruptDocument, DocumentError, ForeignDocument, NewerSchema
from keyvault_jwt.store import DocumentKind

KIND = DocumentKind.AUTHORITY
CANARY = "canary-canary-canary"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A small document."""

    ring: str
    text: str
    policy: RotationPolicy | None = None


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What a later schema makes of a note."""

    ring: str
    remark: str
    tags: list[str]


NOTES = msgspec.json.Decoder(Note, dec_hook=frame.decode_policy)
REMARKS = msgspec.json.Decoder(Remark)


NOTE = Note(ring="payments", text=CANARY)


def closed(body: bytes) -> bytes:
    """Return a body with the digest that belongs to it."""
    return body + f',"digest":"{hashlib.sha256(body).hexdigest()}"}}'.encode()


def framed(**members: Any) -> bytes:
    """Return a well-closed document with these members over those of a note."""
    preamble = {"format": frame.FORMAT, "schema": frame.SCHEMA, "kind": "authority", "ring": "payments"}
    return closed(json.dumps(preamble | {"text": CANARY} | members).encode()[:-1])


def decoded(data: bytes, kind: DocumentKind = KIND, ring: str = "payments") -> Note:
    """Return what the bytes hold as a note."""
    return frame.decode(kind, ring, data, NOTES)


def refused(
    kind: type[DocumentError], data: bytes, kind_read: DocumentKind = KIND, ring: str = "payments"
) -> DocumentError:
    """Return the refusal of these bytes; no content shows in it or in what led to it."""
    with pytest.raises(kind) as caught:
        decoded(data, kind_read, ring)
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    return caught.value


@pytest.fixture
def next_schema(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, frame.Migrate]], None]:
    """Move this code's schema on by as many migrations as are given."""

    def move(migrations: dict[int, frame.Migrate]) -> None:
        monkeypatch.setattr(frame, "MIGRATIONS", migrations)
        monkeypatch.setattr(frame, "SCHEMA", 1 + len(migrations))

    return move


def test_bytes_are_as_the_format_says() -> None:
    """One JSON object: preamble first, closed by the SHA-256 of all before the digest."""
    data = frame.encode(KIND, NOTE)
    document = json.loads(data)
    assert list(document)[:3] == ["format", "schema", "kind"]
    assert list(document)[-1] == "digest"
    assert (document["format"], document["schema"]) == ("keyvault-jwt", 1)
    assert document["digest"] == hashlib.sha256(data[: data.index(b',"digest"')]).hexdigest()
    assert data == closed(data[: data.index(b',"digest"')])


@pytest.mark.parametrize("kind", DocumentKind)
def test_documents_come_back(kind: DocumentKind) -> None:
    """Every kind, its policy included, and the same bytes each time it is written."""
    note = Note(ring="payments", text='"}\\ \u2028 \U0001f511', policy=RotationPolicy(rotate_every="90d"))
    data = frame.encode(kind, note)
    assert decoded(data, kind) == note
    assert frame.encode(kind, decoded(data, kind)) == data


def test_truncated_at_every_byte() -> None:
    """No beginning of a document passes for one: `document_corrupt`, and what to do."""
    data = frame.encode(KIND, NOTE)
    for length in range(len(data)):
        error = refused(CorruptDocument, data[:length])
        assert error.code == "document_corrupt"
        assert error.what == "the authority document of keyring payments is corrupt"
        assert "left as it is" in error.fix


def test_every_bit_flipped() -> None:
    """Whichever bit changes, the document is refused, as corrupt, foreign or newer."""
    data = frame.encode(KIND, NOTE)
    codes = set()
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        codes.add(refused(DocumentError, bytes(changed)).code)
    assert codes == {"document_corrupt", "document_foreign", "document_newer_schema"}


@pytest.mark.parametrize("extra", [b" ", b"\n", b"\0", b"}", b"{}"])
def test_bytes_added_are_refused(extra: bytes) -> None:
    """Before or after: white space that JSON allows is no part of what was written either."""
    data = frame.encode(KIND, NOTE)
    refused(CorruptDocument, data + extra)
    refused(CorruptDocument, extra + data)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"null", b"[]", b"7", b'"text"', b"{}", b"not json", b"\xff\xfe", b"{" * 100_000,
        b"[" * 100_000, b'{"a":' * 100_000, b'{"format":"keyvault-jwt"}', b'{"format":"\xff"}', bytes(1000),
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_no_document_is_corrupt(data: bytes) -> None:
    """Empty, another JSON value, no JSON, no UTF-8, nested too deeply, or without a preamble."""
    assert "not a whole JSON object of ours" in refused(CorruptDocument, data).why


def test_foreign_documents_are_named() -> None:
    """Another format, kind or ring is told from a corrupt one, and says what it is instead."""
    for members, told in (
        ({"format": "other"}, "'other', 'authority' of 'payments'"),
        ({"kind": "signing"}, "'keyvault-jwt', 'signing' of 'payments'"),
        ({"ring": "billing"}, "'keyvault-jwt', 'authority' of 'billing'"),
        ({"format": "x" * 200}, f"'{'x' * 40}', "),
        ({"kind": "x" * 200}, f"'{'x' * 40}' of"),
        ({"ring": "x" * 200}, f"of '{'x' * 64}'"),
    ):
        error = refused(ForeignDocument, framed(**members))
        assert error.code == "document_foreign"
        assert told in error.why
        assert "x" * 65 not in str(error)
        assert "nothing was changed" in error.fix


def test_a_document_is_good_for_one_place() -> None:
    """Whole bytes read under another kind or ring are foreign there."""
    data = frame.encode(KIND, NOTE)
    assert decoded(data) == NOTE
    refused(ForeignDocument, data, ring="payments2")
    for kind in set(DocumentKind) - {KIND}:
        refused(ForeignDocument, data, kind)


@pytest.mark.parametrize("schema", [2, 3, 10**9])
def test_newer_schemas_are_refused(schema: int) -> None:
    """With both numbers and the way out, even if the bytes after the preamble mean nothing here."""
    for data in (framed(schema=schema), framed(schema=schema)[:-3] + b'0"}'):
        error = refused(NewerSchema, data)
        assert error.code == "document_newer_schema"
        assert f"has schema {schema}" in error.what
        assert "up to 1" in error.why
        assert "upgrade" in error.fix


@pytest.mark.parametrize("schema", [0, -1])
def test_schemas_that_never_were_are_corrupt(schema: int) -> None:
    """No migration leads from them."""
    refused(CorruptDocument, framed(schema=schema))


def test_the_digest_is_checked_before_the_shape() -> None:
    """A document of a good shape whose digest is another's is refused by its bytes."""
    other = frame.encode(KIND, Note(ring="payments", text="other"))
    data = frame.encode(KIND, NOTE)
    mixed = data[: data.index(b',"digest"')] + other[other.index(b',"digest"') :]
    assert "SHA-256 differs" in refused(CorruptDocument, mixed).why
    upper = data[:-66] + data[-66:].upper()
    assert "SHA-256 differs" in refused(CorruptDocument, upper).why


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"text": 7}, "$.text"),
        ({"text": None}, "$.text"),
        ({"policy": {"standbys": CANARY}}, ""),
        ({"policy": {CANARY: 1}}, ""),
        ({"policy": {"self": 1}}, "$.policy"),
        ({"policy": {"rotate_every": CANARY}}, ""),
        ({"policy": CANARY}, "$.policy"),
        ({"policy": {"leeway": "1ms"}}, ""),
    ],
)
def test_another_shape_is_corrupt(members: dict[str, Any], place: str) -> None:
    """Well closed, but not what the schema says: the place is named, the value never."""
    with pytest.raises(CorruptDocument, match="does not have the schema's shape") as caught:
        decoded(framed(**members))
    assert place in caught.value.why
    assert "canary" not in f"{caught.value} {caught.value!r}"


def test_a_missing_member_is_corrupt() -> None:
    """The preamble alone, well closed, is no document."""
    body = b'{"format":"keyvault-jwt","schema":1,"kind":"authority","ring":"payments"'
    assert "schema's shape" in refused(CorruptDocument, closed(body)).why


def test_members_of_the_future_are_let_be() -> None:
    """A member that this version does not know, in a schema it knows, does no harm."""
    assert decoded(framed(later=[1, 2])) == NOTE


@pytest.mark.parametrize("kind", DocumentKind)
def test_the_way_out_depends_on_the_kind(kind: DocumentKind) -> None:
    """What can be derived is written anew by `reconcile`; the source of truth and archives can't be."""
    error = refused(CorruptDocument, b"", kind)
    if kind in {DocumentKind.AUTHORITY, DocumentKind.ARCHIVE}:
        assert "backup" in error.fix
        assert ("recover" in error.fix) is (kind is DocumentKind.AUTHORITY)
    else:
        assert error.fix == "the next `reconcile` writes it anew"


def test_what_has_no_json_form_is_not_written() -> None:
    """A programmer's error, told at once by type."""

    class Odd(msgspec.Struct):
        ring: str
        thing: object

    with pytest.raises(NotImplementedError, match="no JSON form for complex"):
        frame.encode(KIND, Odd("payments", 1j))


def test_older_schemas_are_migrated(next_schema: Callable[[dict[int, frame.Migrate]], None]) -> None:
    """Each migration is taken once, in order, and the digest checked is the one that was written."""
    old = frame.encode(KIND, NOTE)
    next_schema(
        {
            1: lambda plain: plain | {"remark": plain["text"], "schema": 2},
            2: lambda plain: plain | {"remark": plain["remark"].upper(), "tags": ["from-2"], "schema": 3},
        }
    )
    expected = Remark(ring="payments", remark=CANARY.upper(), tags=["from-2"])
    assert frame.decode(KIND, "payments", old, REMARKS) == expected
    anew = frame.encode(KIND, expected)
    assert b'"schema":3' in anew
    assert frame.decode(KIND, "payments", anew, REMARKS) == expected
    middle = framed(schema=2, remark="middle")
    assert frame.decode(KIND, "payments", middle, REMARKS).remark == "MIDDLE"


def test_altered_documents_of_an_older_schema_are_refused(
    next_schema: Callable[[dict[int, frame.Migrate]], None],
) -> None:
    """Nothing is migrated before its bytes are known to be whole; one schema too new stays so."""
    old = frame.encode(KIND, NOTE)
    migrated: list[object] = []
    next_schema({1: lambda plain: migrated.append(plain) or plain})  # type: ignore[func-returns-value]
    refused(CorruptDocument, old.replace(b"canary", b"Canary"))
    assert migrated == []
    assert "up to 2" in refused(NewerSchema, framed(schema=3)).why
    assert decoded(old) == NOTE
    assert len(migrated) == 1


@pytest.mark.parametrize("broken", [KeyError(CANARY), ValueError(CANARY)])
def test_a_migration_that_fails_means_a_corrupt_document(
    broken: Exception, next_schema: Callable[[dict[int, frame.Migrate]], None]
) -> None:
    """A member that an older schema promised is missing: refused, and its name is not repeated."""
    old = frame.encode(KIND, NOTE)

    def migrate(plain: dict[str, Any]) -> dict[str, Any]:
        raise broken

    next_schema({1: migrate})
    with pytest.raises(CorruptDocument, match="schema's shape") as caught:
        decoded(old)
    assert "canary" not in str(caught.value)


def test_a_schema_without_a_migration_is_corrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap among the migrations loses nothing and guesses nothing."""
    old = frame.encode(KIND, NOTE)
    monkeypatch.setattr(frame, "SCHEMA", 2)
    refused(CorruptDocument, old)
