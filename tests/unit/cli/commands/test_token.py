"""`token`: signed, verified, inspected; read from files and stdin alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest

from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store_url import open_store
from tests.unit.cli.conftest import ISSUER, Cli


@pytest.fixture
def published(cli: Cli) -> Iterator[str]:
    """The URL at which the keyring `payments` is published, as its JWK Set is at each request."""

    manager = KeyManager(open_store(cli.store))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = manager.jwks("payments")
            self.send_response(200)
            self.send_header("Content-Type", "application/jwk-set+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with closing(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        server.close = server.server_close  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
        server.shutdown()


@pytest.fixture
def sign(cli: Cli) -> Callable[..., str]:
    """Sign a token in a keyring that is made for it."""
    cli.create()

    def sign(*words: str) -> str:
        return cli.run("token", "sign", "payments", *words).stdout.strip()

    return sign


@pytest.fixture
def verify(cli: Cli, published: str) -> Callable[..., Any]:
    """Verify a token for this issuer and the audience `api`."""

    def verify(token: str, *words: str, status: int = 0, audience: str = "api") -> Any:
        named = ("--jwks", published, "--issuer", ISSUER, "--audience", audience)
        return cli.run("token", "verify", *named, "--json", *words, input=token, status=status)

    return verify


def test_the_token_stands_alone_on_stdout(cli: Cli, sign: Callable[..., str]) -> None:
    """One line, one token, and nothing said besides."""
    result = cli.run("token", "sign", "payments", "--sub", "u1", "--aud", "api")
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    assert result.stdout.count(".") == 2
    assert cli.json("token", "sign", "payments", "--sub", "u1").keys() == {"token"}


def test_claims_are_json_where_they_read_as_json(sign: Callable[..., str]) -> None:
    """Numbers, truth values, lists and objects; everything else is text."""
    words = ("a=true", "b=3", 'c="3"', "d=hello", "e=[1,2]", 'f={"x":null}', "g=NaN", "h=", "i=a=b", "j=007")
    token = sign("--sub", "u1", "--ttl", "5m", *(part for word in words for part in ("--claim", word)))
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.pop("exp") - claims.pop("iat") == 300
    assert claims == {
        "iss": ISSUER,
        "sub": "u1",
        "a": True,
        "b": 3,
        "c": "3",
        "d": "hello",
        "e": [1, 2],
        "f": {"x": None},
        "g": "NaN",
        "h": "",
        "i": "a=b",
        "j": "007",
    }


def test_several_audiences_make_a_list(sign: Callable[..., str]) -> None:
    """One is text, as most verifiers expect; more are a list."""
    one, two = sign("--aud", "api"), sign("--aud", "api", "--aud", "web")
    assert jwt.decode(one, options={"verify_signature": False})["aud"] == "api"
    assert jwt.decode(two, options={"verify_signature": False})["aud"] == ["api", "web"]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--claim", "iss=https://evil.example"), 2, "usage"),
        (("--claim", "iat=1"), 2, "usage"),
        (("--sub", "u1", "--claim", "sub=u2"), 2, "usage"),
        (("--claim", "a=1", "--claim", "a=2"), 2, "usage"),
        (("--claim", "lonely"), 2, "usage"),
        (("--ttl", "16m"), 1, "token_refused"),
        (("--ttl", "soon"), 2, "bad_duration"),
    ],
)
def test_what_may_not_be_signed_is_refused(
    cli: Cli, sign: Callable[..., str], words: tuple[str, ...], status: int, code: str
) -> None:
    """Claims of the signer's own, claims given twice, and a life longer than the policy's."""
    result = cli.run("token", "sign", "payments", *words, "--json", status=status)
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["code"] == code


def test_no_keyring_signs_nothing(cli: Cli) -> None:
    """Exit 1 with the reason."""
    cli.create("users")
    assert cli.error("token", "sign", "payments", status=1)["code"] == "keyring_not_found"


def test_a_good_token_is_verified_to_its_claims(sign: Callable[..., str], verify: Callable[..., Any]) -> None:
    """stdout has the claims; the token came by stdin."""
    claims = json.loads(verify(sign("--sub", "u1", "--aud", "api")).stdout)
    assert (claims["sub"], claims["iss"]) == ("u1", ISSUER)


def test_a_token_comes_from_a_file_too(
    tmp_path: Path, sign: Callable[..., str], verify: Callable[..., Any]
) -> None:
    """White space around it does not matter."""
    path = tmp_path / "token"
    path.write_text(f"\n{sign('--aud', 'api')}\n\n")
    assert json.loads(verify("", str(path)).stdout)["aud"] == "api"


def test_a_refused_token_says_why(cli: Cli, sign: Callable[..., str], verify: Callable[..., Any]) -> None:
    """Exit 1 and the code: other audience, other algorithm, expired, revoked key, no token at all."""
    token = sign("--aud", "api", "--ttl", "1s")

    def code(*words: str, given: str = token, **named: Any) -> str:
        result = verify(given, *words, status=1, **named)
        assert result.stdout == ""
        assert given == "" or given not in result.stderr
        told: str = json.loads(result.stderr)["error"]["code"]
        return told

    assert code(audience="web") == "audience_wrong"
    assert code("--alg", "Ed25519") == "algorithm_refused"
    assert code(given=token[:-8] + "AAAAAAAA") == "signature_invalid"
    assert code(given="") == "token_malformed"
    long_lived = sign("--aud", "api")
    cli.run("revoke", "payments", jwt.get_unverified_header(token)["kid"], "--reason", "drill")
    assert code(given=long_lived) == "key_unknown"


def test_hmac_is_never_accepted_by_a_published_set(
    verify: Callable[..., Any], sign: Callable[..., str]
) -> None:
    """A token under the public key as an HMAC secret is refused, with no allow-list given."""
    forged = jwt.encode({"iss": ISSUER, "aud": "api", "exp": 4_000_000_000}, "x" * 32, algorithm="HS256")
    assert json.loads(verify(forged, status=1).stderr)["error"]["code"] == "algorithm_refused"


def test_no_keys_is_no_verdict(cli: Cli, sign: Callable[..., str]) -> None:
    """Where the JWKS can't be had, the run fails for that reason; plain HTTP to elsewhere is not tried."""
    token = sign("--aud", "api")
    (cli.home / "token").write_text(token)
    words = ("token", "verify", "token", "--issuer", ISSUER, "--audience", "api", "--jwks")
    assert cli.error(*words, "http://127.0.0.1:1/", status=1)["code"] == "fetch"
    assert cli.error(*words, "http://id.example/", status=2)["code"] == "bad_url"


@pytest.mark.parametrize("name", ["verify", "inspect"])
def test_a_token_as_an_argument_is_refused_and_not_repeated(
    cli: Cli, sign: Callable[..., str], name: str
) -> None:
    """The message says how to give it, without the token."""
    token = sign("--aud", "api")
    options = ("--jwks", "http://127.0.0.1:1/", "--issuer", ISSUER, "--audience", "api")
    result = cli.run("token", name, token, *(options if name == "verify" else ()), status=2)
    assert "not given as an argument" in result.stderr
    assert token.split(".")[0] not in result.stderr
    assert cli.error("token", "inspect", "no-such-file", status=1)["code"] == "file_unreadable"


def test_inspecting_believes_nothing_and_hides_the_signature(cli: Cli, sign: Callable[..., str]) -> None:
    """Header and claims on stdout, the warning on stderr; a forged token is shown like any other."""
    token = sign("--sub", "u1")
    for given in (token, token[:-8] + "AAAAAAAA"):
        result = cli.run("token", "inspect", input=given)
        shown = json.loads(result.stdout)
        assert shown["header"]["alg"] == "ES256"
        assert shown["claims"]["sub"] == "u1"
        assert "NOT VERIFIED" in result.stderr
        assert given.rpartition(".")[2] not in result.stdout + result.stderr


def test_a_payload_that_is_no_claims_set_is_said(cli: Cli) -> None:
    """A JWS of other bytes shows its header, and claims null."""
    token = jwt.PyJWS().encode(b"just bytes", "k" * 32, algorithm="HS256")
    result = cli.run("token", "inspect", "-", input=token)
    assert json.loads(result.stdout)["claims"] is None
    assert "10 bytes" in result.stderr
