"""A server, mount, namespace or token that is not what it should be: an error with the fix."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    Conflict,
    CorruptDocument,
    DocumentError,
    ForeignDocument,
    NewerSchema,
    StoreDenied,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import VaultStore, errors, open_url
from tests.waiting import until

NAME = DocumentName("payments", DocumentKind.AUTHORITY)


def draft(revision: int = 1) -> Draft:
    """Return a document of a write of its own."""
    return Draft(b"{}", revision, uuid4())


@pytest.fixture
def own_bao(monkeypatch: pytest.MonkeyPatch) -> Iterator[BaoServer]:
    """A server that a test may seal or suspend."""
    with BaoServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def path_of(store_url: str, endpoint: str = "data") -> str:
    """Return the API path of `NAME`."""
    return f"secret/{endpoint}/{store_url.rsplit('/', 1)[1]}/{NAME}"


def test_sealed_and_unsealed_again(own_bao: BaoServer) -> None:
    """A sealed server is told for reads and writes, nothing is written, and once unsealed all goes on."""
    hasty = open_url("vault://secret/jwt?deadline=1s")
    with open_url("vault://secret/jwt") as store, hasty:
        version = store.replace(NAME, draft(), expected=None)
        until(lambda: _reads(hasty))
        own_bao.seal()
        with pytest.raises(errors.Sealed):
            hasty.read(NAME)
        with pytest.raises(errors.Sealed):
            hasty.replace(NAME, draft(2), expected=version)
        own_bao.unseal()
        until(lambda: _reads(store))
        seen = store.read(NAME)
        assert seen is not None
        assert seen.version == version


def test_a_server_that_stands_still(own_bao: BaoServer) -> None:
    """Time-outs end a read as unreachable and a write as unknown; sending the same again settles it."""
    hasty = open_url("vault://secret/jwt?deadline=1s&read_timeout=300ms")
    with open_url("vault://secret/jwt") as store, hasty:
        version = store.replace(NAME, draft(), expected=None)
        until(lambda: _reads(hasty))
        mine = draft(2)
        own_bao.pause()
        try:
            with pytest.raises(errors.Unreachable):
                hasty.read(NAME)
            with pytest.raises(StoreTimeout):
                hasty.replace(NAME, mine, expected=version)
        finally:
            own_bao.resume()
        until(lambda: _is_settled(store, mine, version))
        seen = store.read(NAME)
        assert seen is not None
        assert seen.draft == mine


def _reads(store: VaultStore) -> bool:
    """Whether a store reads: one with little patience learns at first what all its uses need."""
    try:
        return store.read(NAME) is not None
    except StoreUnavailable:
        return False


def _is_settled(store: VaultStore, mine: Draft, expected: Version) -> bool:
    """Send the same bytes over the same version; a `Conflict` says that one of them landed."""
    try:
        store.replace(NAME, mine, expected=expected)
    except Conflict:
        return True
    except (StoreTimeout, StoreUnavailable):
        return False
    return False


@pytest.mark.parametrize("act", ["read", "replace"])
def test_nothing_listens_there(environment: pytest.MonkeyPatch, act: str) -> None:
    """A refused connection is unreachable, for a write too: nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        environment.setenv("BAO_ADDR", f"http://127.0.0.1:{free.getsockname()[1]}")
        with (
            open_url("vault://secret/jwt?deadline=200ms") as store,
            pytest.raises(errors.Unreachable, match="nothing was sent"),
        ):
            _do(store, act)


def _do(store: VaultStore, act: str) -> None:
    store.read(NAME) if act == "read" else store.replace(NAME, draft(), expected=None)


def test_a_name_that_does_not_resolve(environment: pytest.MonkeyPatch) -> None:
    """An unknown host is its own error."""
    environment.setenv("BAO_ADDR", "https://vault.invalid:8200")
    with open_url("vault://secret/jwt?deadline=200ms") as store, pytest.raises(errors.UnknownHost):
        store.read(NAME)


def test_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its authority a server is not trusted; with it, or under another name that it bears, it is."""
    with BaoServer(tls=True) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        with open_url("vault://secret/jwt") as store:
            assert store.read(NAME) is None
        monkeypatch.setenv("BAO_TLS_SERVER_NAME", "localhost")
        with open_url("vault://secret/jwt") as store:
            assert store.read(NAME) is None
        monkeypatch.setenv("BAO_TLS_SERVER_NAME", "elsewhere.example")
        with open_url("vault://secret/jwt") as store, pytest.raises(errors.NotTrusted, match="another name"):
            store.read(NAME)
        monkeypatch.delenv("BAO_TLS_SERVER_NAME")
        monkeypatch.delenv("BAO_CACERT")
        with open_url("vault://secret/jwt") as store, pytest.raises(errors.NotTrusted):
            store.replace(NAME, draft(), expected=None)
        monkeypatch.setenv("BAO_CACERT", str(tmp_path / "missing.pem"))
        with open_url("vault://secret/jwt") as store, pytest.raises(errors.NotTrusted, match="CACERT"):
            store.read(NAME)


def test_plain_http_server_behind_https(bao: BaoServer, environment: pytest.MonkeyPatch) -> None:
    """A server that speaks no TLS where TLS is expected is an error of the store, for a write too."""
    environment.setenv("BAO_ADDR", bao.url.replace("http:", "https:"))
    with open_url("vault://secret/jwt") as store, pytest.raises(errors.NotTrusted):
        store.replace(NAME, draft(), expected=None)


def test_key_value_version_1_is_refused(bao: BaoServer, environment: pytest.MonkeyPatch) -> None:
    """A mount that would ignore check-and-set takes nothing, and the error names the upgrade."""
    mount = f"kv-{uuid4().hex[:8]}"
    bao.request("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "1"}})
    with open_url(f"vault://{mount}/jwt") as store:
        for act in ("read", "replace"):
            with pytest.raises(errors.NotVersioned, match="enable-versioning"):
                _do(store, act)
        with pytest.raises(errors.NotVersioned):
            store.names()


@pytest.mark.parametrize("mount", ["transit", "nowhere", "cubbyhole"])
def test_wrong_mount(bao: BaoServer, environment: pytest.MonkeyPatch, mount: str) -> None:
    """A mount that is missing or of another type is told, and never taken for an empty store."""
    with open_url(f"vault://{mount}/jwt") as store:
        for act in ("read", "replace"):
            with pytest.raises((errors.WrongPlace, errors.Denied), match=mount):
                _do(store, act)


def test_mount_that_goes_away(bao: BaoServer, environment: pytest.MonkeyPatch) -> None:
    """Documents of a mount that was removed after it was seen are not absent: it is an error."""
    mount = f"kv-{uuid4().hex[:8]}"
    bao.request("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
    with open_url(f"vault://{mount}/jwt") as store:
        until(lambda: _is_there(store))
        bao.request("DELETE", f"sys/mounts/{mount}")
        with pytest.raises(errors.WrongPlace):
            store.read(NAME)


def _is_there(store: VaultStore) -> bool:
    try:
        store.replace(NAME, draft(), expected=None)
    except errors.Upgrading:
        return False
    return True


def test_a_mount_with_a_slash(bao: BaoServer, environment: pytest.MonkeyPatch) -> None:
    """A mount whose path has a slash is named with %2F."""
    bao.request("POST", "sys/mounts/shared/kv", {"type": "kv", "options": {"version": "2"}})
    with open_url("vault://shared%2Fkv") as store:
        until(lambda: _is_there(store))
        assert list(store.names()) == [NAME]


def test_namespaces(bao: BaoServer, environment: pytest.MonkeyPatch) -> None:
    """A keyring lives in its namespace; another sees nothing of it, and one that is not there is an error."""
    bao.request("POST", "sys/namespaces/team", {})
    bao.request("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, namespace="team")
    prefix = uuid4().hex
    environment.setenv("VAULT_NAMESPACE", "team")
    with open_url(f"vault://secret/{prefix}") as theirs:
        until(lambda: _is_there(theirs))
    with open_url(f"vault://secret/{prefix}?namespace=") as ours:
        assert ours.read(NAME) is None
    with open_url(f"vault://secret/{prefix}?namespace=nowhere") as lost:
        for act in ("read", "replace"):
            with pytest.raises(errors.WrongPlace, match="nowhere"):
                _do(lost, act)


@pytest.mark.parametrize(
    "case",
    [
        (["create"], "read", r"read on 'secret/data/"),
        (["read"], "replace", r"create and update on 'secret/metadata/"),
        (["read"], "names", r"list on 'secret/metadata/"),
    ],
)
def test_the_missing_capability_is_named(
    bao: BaoServer, prefix_url: str, monkeypatch: pytest.MonkeyPatch, case: tuple[list[str], str, str]
) -> None:
    """A denial names the capability and the path that are missing, and nothing was written."""
    granted, act, missing = case
    capabilities = ", ".join(f'"{each}"' for each in granted)
    monkeypatch.setenv("BAO_TOKEN", bao.token_for(f'path "secret/*" {{ capabilities = [{capabilities}] }}'))
    with open_url(prefix_url) as store, pytest.raises(StoreDenied, match=missing):
        store.names() if act == "names" else _do(store, act)
    monkeypatch.setenv("BAO_TOKEN", bao.token)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
        assert store.names() == []


def test_nothing_secret_is_told(
    prefix_url: str, environment: pytest.MonkeyPatch, bao: BaoServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither logs nor any error's whole chain hold the token or a document's bytes."""
    secret = Draft(b"the-private-half", 1, uuid4())
    told: list[str] = []
    with caplog.at_level(logging.DEBUG), open_url(prefix_url) as store:
        store.replace(NAME, secret, expected=None)
        store.read(NAME)
        bao.request(
            "POST", path_of(prefix_url), {"data": {"text": "the-private-half"}, "options": {"cas": 1}}
        )
        for call in (
            lambda: store.replace(NAME, secret, expected=None),
            lambda: store.read(NAME),
        ):
            with pytest.raises((Conflict, DocumentError)) as caught:
                call()
            told.append("".join(traceback.format_exception(caught.value)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        environment.setenv("BAO_ADDR", f"http://127.0.0.1:{free.getsockname()[1]}")
        with open_url(f"{prefix_url}?deadline=100ms") as away, pytest.raises(errors.Unreachable) as lost:
            away.replace(NAME, secret, expected=None)
    told += ["".join(traceback.format_exception(lost.value)), caplog.text, repr(store), repr(away)]
    for text in told:
        assert bao.token not in text
        assert "the-private-half" not in text


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"x": "1"}, ForeignDocument),
        ({"schema": 1, "revision": 1, "write_id": "no uuid", "text": "{}"}, ForeignDocument),
        ({"schema": 1, "revision": "1", "write_id": str(uuid4()), "text": "{}"}, ForeignDocument),
        ({"schema": 1, "revision": 1, "write_id": str(uuid4())}, CorruptDocument),
        ({"schema": 1, "revision": 1, "write_id": str(uuid4()), "text": "", "base64": ""}, CorruptDocument),
        ({"schema": 1, "revision": -1, "write_id": str(uuid4()), "text": ""}, CorruptDocument),
        ({"schema": 1, "revision": 1, "write_id": str(uuid4()), "base64": "e30=!"}, CorruptDocument),
        ({"schema": 2, "anything": "new"}, NewerSchema),
    ],
)
def test_malformed_document(
    bao: BaoServer, store: VaultStore, prefix_url: str, fields: dict[str, object], error: type[DocumentError]
) -> None:
    """What is no document of ours is an error that carries its version, so that a repair may go over it."""
    bao.request("POST", path_of(prefix_url), {"data": fields})
    with pytest.raises(error) as caught:
        store.read(NAME)
    assert caught.value.version is not None
    mine = draft()
    store.replace(NAME, mine, expected=caught.value.version)  # type: ignore[arg-type]
    seen = store.read(NAME)
    assert seen is not None
    assert seen.draft == mine
