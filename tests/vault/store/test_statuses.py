"""Each answer of a server in trouble becomes an error that says what to do, and nothing is sent too often."""

from __future__ import annotations

import json
from functools import partial
from uuid import uuid4

import pytest

from keyvault_jwt.errors import DocumentTooLarge, KeyvaultJWTError, StoreTimeout, StoreUnavailable
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, TransitStore, VaultStore, errors, open_url
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.session import MAX_TRIES
from tests.vault.store.fault_proxy import Answers, Breaks, Drips, FaultProxy
from tests.waiting import until

NAME = DocumentName("payments", DocumentKind.PUBLIC)


def draft(revision: int = 1) -> Draft:
    """Return a document of a write of its own."""
    return Draft(b"{}", revision, uuid4())


def said(status: int, *errors: str, **headers: str) -> Answers:
    """Return an answer in Vault's form."""
    return Answers(status, json.dumps({"errors": errors}).encode(), headers)


PASSING = {
    "lagging": (said(412), errors.LaggingNode),
    "behind-index": (said(429, "the required index is not reached"), errors.LaggingNode),
    "quota": (said(429, 'request path "secret": rate limit quota exceeded'), errors.RateLimited),
    "standby-health": (said(429), errors.RateLimited),
    "disaster-secondary": (said(472), errors.NotActive),
    "performance-standby": (said(473), errors.NotActive),
    "no-active": (said(474), errors.NotActive),
    "removed": (said(530), errors.NotActive),
    "electing": (said(500, "local node not active but active cluster node not found"), errors.NotActive),
    "sealed": (said(503, "Vault is sealed"), errors.Sealed),
    "upgrading": (said(400, "Upgrading from non-versioned to versioned data."), errors.Upgrading),
}
LASTING = {"uninitialized": (said(501), errors.NotInitialized)}
UNCLEAR = {
    "internal": said(500, "internal error"),
    "no-active-found": said(503, "no active Vault instance found"),
    "redirect": Answers(307, b"", {"Location": "http://127.0.0.1:9/v1/secret"}),
    "gateway": Answers(502, b"<html>bad gateway</html>"),
    "gateway-timeout": Answers(504, b""),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("answer", "error"), (PASSING | LASTING).values(), ids=PASSING | LASTING)
def test_status_becomes_a_typed_error(
    hurried_store: VaultStore,
    proxy: FaultProxy,
    method: str,
    answer: Answers,
    error: type[KeyvaultJWTError],
) -> None:
    """A refusal for the server's state is its own error, for reads as for writes, after a few tries."""
    proxy.next(method, *[answer] * MAX_TRIES)
    calls = {
        "GET": partial(hurried_store.read, NAME),
        "POST": partial(hurried_store.replace, NAME, draft(), expected=None),
    }
    with pytest.raises(error) as caught:
        calls[method]()
    assert caught.value.fix
    assert 1 <= proxy.count(method) <= MAX_TRIES


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", [answer for answer, _ in PASSING.values()], ids=PASSING)
def test_what_passes_is_waited_out(
    hurried_store: VaultStore,
    proxy: FaultProxy,
    waits: list[float],
    method: str,
    answer: Answers,
) -> None:
    """Two refusals in a row that surely did nothing cost two growing pauses and no error."""
    proxy.next(method, answer, answer)
    version = hurried_store.replace(NAME, draft(), expected=None)
    seen = hurried_store.read(NAME)
    assert seen is not None
    assert seen.version == version
    first, second = waits
    assert 0.1 <= first <= 0.2 <= second <= 0.4


def test_a_pause_that_the_server_asks_for_is_made(
    hurried_store: VaultStore, proxy: FaultProxy, waits: list[float]
) -> None:
    """`Retry-After` counts where it is longer than our own pause."""
    proxy.next("GET", said(429, "rate limit quota exceeded", **{"Retry-After": "7"}))
    assert hurried_store.read(NAME) is None
    assert waits == [7.0]


def test_no_pause_goes_beyond_the_deadline(
    hurried_store: VaultStore, proxy: FaultProxy, waits: list[float]
) -> None:
    """A server that asks for more time than there is gets no second request."""
    proxy.next("GET", said(429, "rate limit quota exceeded", **{"Retry-After": "3600"}))
    with pytest.raises(errors.RateLimited):
        hurried_store.read(NAME)
    assert waits == []
    assert proxy.count("GET") == 1


def test_a_last_try_that_the_deadline_cuts_short_hides_nothing(proxy: FaultProxy, prefix_url: str) -> None:
    """What the server said is told, not that the time that was left did not do for another answer."""
    with open_url(f"{prefix_url}?deadline=2s") as store:
        until(lambda: _reads(store))
        proxy.next("GET", said(503, "Vault is sealed"), Drips())
        with pytest.raises(errors.Sealed):
            store.read(NAME)


def _reads(store: VaultStore | TransitStore) -> bool:
    try:
        return store.read(NAME) is None
    except StoreUnavailable:
        return False


def test_the_uninitialized_server_is_asked_once(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """What only a person can mend is told at once."""
    proxy.next("GET", *[said(501)] * 2)
    with pytest.raises(errors.NotInitialized):
        hurried_store.read(NAME)
    assert proxy.count("GET") == 1


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
def test_a_write_of_unknown_outcome_is_sent_once(
    hurried_store: VaultStore, proxy: FaultProxy, answer: Answers
) -> None:
    """Where the server may have carried the write out, it is `StoreTimeout` and no second sending."""
    proxy.next("POST", answer)
    with pytest.raises(StoreTimeout):
        hurried_store.replace(NAME, draft(), expected=None)
    assert proxy.count("POST") == 1


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR)
def test_a_read_that_failed_is_sent_again(
    hurried_store: VaultStore, proxy: FaultProxy, answer: Answers
) -> None:
    """A read does no harm twice: the same answers that leave a write unknown are waited out."""
    proxy.next("GET", answer, answer)
    assert hurried_store.read(NAME) is None
    assert proxy.count("GET") == 3


def test_redirects_are_not_followed_with_the_token(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """A redirect is told with the fix; whom it names hears nothing."""
    with FaultProxy(proxy.url) as elsewhere:
        proxy.next("GET", *[Answers(307, b"", {"Location": f"{elsewhere.url}/v1/x"})] * MAX_TRIES)
        with pytest.raises(errors.NotActive, match="redirects are not followed"):
            hurried_store.read(NAME)
        assert elsewhere.requests == []


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b'"text"', b"{", b""])
def test_another_server_is_not_taken_for_vault(
    hurried_store: VaultStore, proxy: FaultProxy, body: bytes
) -> None:
    """A page under 200 or 404 is neither a document nor its absence."""
    for status in (200, 404):
        proxy.next("GET", *[Answers(status, body)] * MAX_TRIES)
        with pytest.raises(errors.ServerFailed):
            hurried_store.read(NAME)


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_to_a_write_is_told(
    hurried_store: VaultStore, proxy: FaultProxy, carried_out: bool
) -> None:
    """A connection that breaks after a write was sent is `StoreTimeout`, sent once; a read then tells."""
    proxy.next("POST", Breaks(carried_out))
    mine = draft()
    with pytest.raises(StoreTimeout):
        hurried_store.replace(NAME, mine, expected=None)
    assert proxy.count("POST") == 1
    seen = hurried_store.read(NAME)
    assert (seen is not None and seen.draft == mine) is carried_out


def test_a_read_outlives_broken_connections(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """A read is sent again over a new connection."""
    hurried_store.replace(NAME, draft(), expected=None)
    proxy.next("GET", Breaks(carried_out=True), Breaks(carried_out=False))
    assert hurried_store.read(NAME) is not None
    assert proxy.count("GET") == 3


def test_an_answer_that_never_ends_is_given_up(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """The read time-out bounds the whole answer, not each byte of it; and the next try is a fresh one."""
    proxy.next("GET", Drips())
    assert hurried_store.read(NAME) is None
    assert proxy.count("GET") == 2


def test_too_large_for_the_server(hurried_store: VaultStore, proxy: FaultProxy) -> None:
    """A size that the server refuses is `DocumentTooLarge`, in each of the ways in which it says so."""
    for answer in (
        said(413, "http: request body too large"),
        said(500, "put failed due to value being too large; got 1048999 bytes, max: 1048576 bytes"),
    ):
        proxy.next("POST", answer)
        with pytest.raises(DocumentTooLarge):
            hurried_store.replace(NAME, draft(), expected=None)
    assert proxy.count("POST") == 2


class Renewable:
    """Credentials whose next token is had when the one before was refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def token(self) -> str:
        """Return the present token."""
        return self.tokens[0]

    def refused(self, token: str) -> bool:
        """Go on to the next token, if there is one."""
        if len(self.tokens) > 1:
            del self.tokens[0]
        return self.token() != token

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("good", "sent"), [(1, 2), (2, 2)])
def test_a_refused_token_is_replaced_once(
    bao: BaoServer, proxy: FaultProxy, prefix_url: str, good: int, sent: int
) -> None:
    """After a 403 the request is repeated with a fresh token, and not a second time: no storm of logins."""
    tokens = ["stale-1", "stale-2", "stale-3"]
    tokens[good] = bao.token
    with Session(parse_url(prefix_url)[0], Renewable(*tokens)) as session:
        path = "secret/data/absent"
        if good == 1:
            assert session.request("GET", path).status == 404
        else:
            with pytest.raises(errors.Denied):
                session.request("GET", path)
    assert proxy.count("GET") == sent
