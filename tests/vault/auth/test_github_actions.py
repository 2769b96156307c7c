"""GitHub Actions: a stand-in for the runner's id-token service on loopback, and a real server behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from keyvault_jwt_vault.auth.errors import CredentialsMissing, LoginImpossible, LoginRefused
from tests.vault.auth.bao import Bao
from tests.vault.auth.conftest import Opened
from tests.vault.auth.stand_in import Asked, StandIn, Told
from tests.vault.auth.test_methods import Issuer

BEARER = "runner-bearer-of-this-job"
PATH = "/token?api-version=2.0"
Runner = Callable[[Callable[[Asked], Told]], StandIn]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """Return a function that starts a stand-in for the runner's service, set in the environment."""
    started: list[StandIn] = []

    def start(answer: Callable[[Asked], Told]) -> StandIn:
        started.append(StandIn(answer))
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", started[-1].url + PATH)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER)
        return started[-1]

    yield start
    for one in started:
        one.stop()


def _parameters(issuer: Issuer) -> dict[str, str]:
    return issuer.parameters | {"jwt_from": "github-actions", "audience": "https://vault.example"}


def test_the_jobs_id_token_logs_in(bao: Bao, opened: Opened, runner: Runner) -> None:
    """The id token is asked for with the job's bearer token and the audience, and the server takes it."""
    issuer = Issuer(bao)
    service = runner(lambda _: Told(200, {"value": issuer.sign(), "count": 9}))
    assert bao.status(opened(_parameters(issuer)).token()) == 200
    (asked,) = service.asked
    assert asked.path == f"{PATH}&audience=https%3A%2F%2Fvault.example"
    assert asked.headers["authorization"] == f"Bearer {BEARER}"


def test_a_redirect_is_not_followed(bao: Bao, opened: Opened, runner: Runner) -> None:
    """The bearer token does not go where a redirect points."""
    elsewhere = StandIn(lambda _: Told(200, {"value": "a.b.c"}))
    try:
        runner(lambda _: Told(307, None, (("Location", elsewhere.url),)))
        with pytest.raises(LoginRefused) as refused:
            opened(_parameters(Issuer(bao))).token()
    finally:
        elsewhere.stop()
    assert not elsewhere.asked
    assert BEARER not in str(refused.value)


def test_a_job_without_the_permission_is_told(bao: Bao, opened: Opened) -> None:
    """Without the runner's variables the error says which permission the job lacks."""
    with pytest.raises(CredentialsMissing, match="id-token: write"):
        opened(_parameters(Issuer(bao))).token()


def test_plain_http_elsewhere_gets_no_bearer(
    bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL that is neither https nor loopback is not asked at all."""
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://runner.invalid/token")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER)
    with pytest.raises(CredentialsMissing):
        opened(_parameters(Issuer(bao))).token()


@pytest.mark.parametrize("told", [Told(503), Told(200, "no object"), Told(200, {"other": 1})])
def test_a_service_that_fails_is_asked_again(bao: Bao, opened: Opened, runner: Runner, told: Told) -> None:
    """A failure of the service passes by itself, and is tried again within the deadline."""
    service = runner(lambda _: told)
    with pytest.raises(LoginImpossible):
        opened(_parameters(Issuer(bao)), deadline=1_000).token()
    assert len(service.asked) >= 2
