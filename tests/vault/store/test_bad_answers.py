"""Answers that no such server gives, and folders in the mount that are none of ours."""

from __future__ import annotations

import json
import traceback
from uuid import uuid4

import pytest

from keyvault_jwt.errors import BadRingName, ForeignDocument
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, StaticToken, VaultStore, errors
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.session import MAX_TRIES
from tests.vault.store.fault_proxy import Answers, FaultProxy

NAME = DocumentName("payments", DocumentKind.AUTHORITY)


def data(value: object) -> Answers:
    """Return a good answer that holds `value`."""
    return Answers(200, json.dumps({"data": value}).encode())


@pytest.mark.parametrize("fields", [5, [], "text", None, True])
def test_a_document_that_is_no_object(hurried_store: VaultStore, proxy: FaultProxy, fields: object) -> None:
    """Where a document's fields should be stands something else: it is foreign, and has its version."""
    metadata = {"version": 3, "created_time": "2026-01-01T00:00:00Z"}
    proxy.next("GET", data({"metadata": metadata, "data": fields}))
    with pytest.raises(ForeignDocument) as caught:
        hurried_store.read(NAME)
    assert caught.value.version == "3 2026-01-01T00:00:00Z"


@pytest.mark.parametrize("keys", [5, "payments/", {"payments/": 1}, None])
def test_a_listing_that_is_none(hurried_store: VaultStore, proxy: FaultProxy, keys: object) -> None:
    """A listing that is no list of names names nothing."""
    proxy.next("GET", data({"keys": keys}))
    assert hurried_store.names() == []


def test_a_keyring_called_as_archives_are(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """Policies for archives would grant all of it to auditors: it is neither made, nor read, nor listed."""
    name = DocumentName("archive-keys", DocumentKind.AUTHORITY)
    with pytest.raises(BadRingName):
        hurried_store.replace(name, Draft(b"{}", 1, uuid4()), expected=None)
    with pytest.raises(BadRingName):
        hurried_store.read(name)
    proxy.next("GET", data({"keys": ["archive-keys/"]}))
    assert hurried_store.names() == []


def test_version_numbers_that_are_none(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """What counts no version is not purged, however long it is; what does is."""
    proxy.next("GET", data({"versions": {"9" * 5_000: {}, "²": {}, "-1": {}, "2": {}}}))
    proxy.next("POST", None, Answers(204, b""))
    hurried_store.purge(NAME, before=Version("3 2026-01-01T00:00:00Z"))
    assert [request for request in proxy.requests if "/destroy/" in request]


@pytest.mark.parametrize("options", ["2", [2], 2, None])
def test_a_mount_with_odd_options(
    bao: BaoServer, proxy: FaultProxy, prefix_url: str, options: object
) -> None:
    """A mount that does not say plainly that it is version 2 is refused like one that is version 1."""
    address, _ = parse_url(prefix_url)
    with VaultStore(Session(address, StaticToken(bao.token))) as store:
        proxy.next("GET", data({"type": "kv", "path": "secret/", "options": options}))
        with pytest.raises(errors.NotVersioned):
            store.read(NAME)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_answer_that_quotes_the_request(
    bao: BaoServer, hurried_store: VaultStore, proxy: FaultProxy, status: int
) -> None:
    """A proxy that quotes the token's header gets neither it nor control characters into an error."""
    told = f"no handler for route: X-Vault-Token: {bao.token}\x1b[2J\a"
    proxy.next("GET", *[Answers(status, json.dumps({"errors": [told]}).encode())] * MAX_TRIES)
    with pytest.raises((errors.ServerFailed, errors.WrongPlace, errors.Denied)) as caught:
        hurried_store.read(NAME)
    shown = "".join(traceback.format_exception(caught.value))
    assert bao.token not in shown
    assert "\x1b" not in shown
    assert "\a" not in shown


@pytest.mark.parametrize("folder", ["b%25zz", "we%23ird", "q%3Flist=x", "Upper", "a%20b"])
def test_neighbours_in_the_prefix(
    bao: BaoServer, hurried_store: VaultStore, proxy: FaultProxy, prefix_url: str, folder: str
) -> None:
    """A folder that can't be a keyring, whatever its name, hides no keyring and is not asked about."""
    prefix = prefix_url.rsplit("/", 1)[1]
    bao.request("POST", f"secret/data/{prefix}/{folder}/authority", {"data": {"not": "ours"}})
    hurried_store.replace(NAME, Draft(b"{}", 1, uuid4()), expected=None)
    assert hurried_store.names() == [NAME]
    assert sum("/metadata/" in request for request in proxy.requests if request.startswith("GET ")) == 2
