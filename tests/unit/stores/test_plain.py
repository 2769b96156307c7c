"""Public documents are kept as the JSON they are, and any other bytes still come back."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.errors import CorruptDocument, ForeignDocument, NewerSchema
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.plain import frame, unframe

NAME = DocumentName("payments", DocumentKind.PUBLIC)
WRITE = uuid4()

values = st.sampled_from([None, True, 0, 7, -1, 0.5, 2**70, "", "x", [], [7], {}, {"revision": 7}])
members = st.fixed_dictionaries(
    {},
    optional={
        "revision": st.just(7) | values,
        "write_id": st.just(str(WRITE)) | values,
        "format": st.just("keyvault-jwt.envelope") | values,
        "schema": st.just(1) | values,
        "data": st.just("YQ==") | values,
    },
)


@pytest.mark.parametrize("spacing", [None, 2])
def test_own_document_is_kept_as_it_is(spacing: int | None) -> None:
    """A JSON document that states its revision and write_id is its own file, byte for byte."""
    data = json.dumps({"jwks": {"keys": []}, "revision": 7, "write_id": str(WRITE)}, indent=spacing).encode()
    assert frame(NAME, Draft(data, 7, WRITE)) == data
    assert unframe(NAME, data) == Draft(data, 7, WRITE)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(b"", 7, WRITE),
        Draft(b"\xff\0", 7, WRITE),
        Draft(b"{}", 7, WRITE),
        Draft(b'{"revision":8,"write_id":"%s"}' % str(WRITE).encode(), 7, WRITE),
        Draft(b'{"revision":7,"write_id":"%s"}' % str(uuid4()).encode(), 7, WRITE),
        Draft(b"[" * 100_000, 7, WRITE),
    ],
    ids=["empty", "binary", "silent", "other-revision", "other-write", "deep"],
)
def test_other_bytes_are_kept_in_json(draft: Draft) -> None:
    """Bytes that don't state what they are come back from a file that is JSON all the same."""
    kept = frame(NAME, draft)
    assert json.loads(kept)["revision"] == 7
    assert unframe(NAME, kept) == draft


@given(st.binary(max_size=40) | members.map(lambda it: json.dumps(it).encode()))
def test_any_bytes_come_back(data: bytes) -> None:
    """Whatever the bytes, also such as look like an envelope, what is read is what was written."""
    draft = Draft(data, 7, WRITE)
    assert unframe(NAME, frame(NAME, draft)) == draft


def test_envelope_inside_an_envelope() -> None:
    """A document that is an envelope itself is not opened twice."""
    inner = frame(NAME, Draft(b"x", 7, WRITE))
    draft = Draft(inner, 7, WRITE)
    assert unframe(NAME, frame(NAME, draft)) == draft


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"7",
        b'{"revision":"7","write_id":"x"}',
        b'{"revision":7,"write_id":"x"}',
        b"null",
        b"{}{}",
    ],
)
def test_foreign_json(data: bytes) -> None:
    """JSON that states no revision and write_id is no document of ours."""
    with pytest.raises(ForeignDocument):
        unframe(NAME, data)


@pytest.mark.parametrize("data", [b"", b"{", b'{"revision":7', b"\xff", b'{"a":' * 100_000])
def test_broken_json(data: bytes) -> None:
    """What is not one JSON value is CorruptDocument, however deep it goes."""
    with pytest.raises(CorruptDocument):
        unframe(NAME, data)


def test_newer_envelope() -> None:
    """An envelope to come is NewerSchema."""
    write = UUID(int=1)
    data = json.dumps({"format": "keyvault-jwt.envelope", "schema": 2, "revision": 1, "write_id": str(write)})
    with pytest.raises(NewerSchema):
        unframe(NAME, data.encode())


def test_damaged_envelope() -> None:
    """An envelope whose content is no base64 is no document of ours, and raises nothing else."""
    kept = frame(NAME, Draft(b"x", 7, WRITE)).replace(b"eA==", b"####")
    with pytest.raises((ForeignDocument, CorruptDocument)):
        unframe(NAME, kept)
