"""`import`, `export`, `copy`, `jwks`: keys come in and go out, and private halves only into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey

from tests.unit.cli.conftest import ISSUER, Cli

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "priv"}


def pem(key: Any, password: bytes | None = None) -> bytes:
    """Return a private key as PKCS #8 PEM."""
    sealing = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing)


@pytest.fixture
def ec_pem(tmp_path: Path) -> Path:
    """A P-256 private key in a file."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    return path


def test_an_imported_key_founds_a_keyring_and_signs_at_once(cli: Cli, tmp_path: Path) -> None:
    """With --issuer the key is the signing one, under the kid it had."""
    path = tmp_path / "rsa.pem"
    path.write_bytes(pem(rsa.generate_private_key(65537, 2048)))
    outcome = cli.json(
        "import", "old", "--file", str(path), "--alg", "RS256", "--kid", "2023-key", "--issuer", ISSUER
    )
    assert outcome["imported"] == outcome["active"] == "2023-key"


def test_an_imported_key_waits_like_any_other(cli: Cli, ec_pem: Path) -> None:
    """Into a keyring that is there it comes as a standby, for that keyring's algorithm."""
    active = cli.create()["active"]
    outcome = cli.json("import", "payments", "--file", str(ec_pem))
    assert outcome["active"] == active
    (key,) = (key for key in cli.json("show", "payments")["keys"] if key["kid"] == outcome["imported"])
    assert (key["state"], key["imported"]) == ("pre-activation", True)


def test_a_key_comes_from_stdin_and_as_a_jwk(cli: Cli) -> None:
    """`-` reads stdin; a JWK's own kid and alg count; a kid that contradicts it is refused."""
    jwk = ECKey.generate_key("P-256", {"kid": "from-elsewhere", "alg": "ES256"}).as_dict(private=True)
    outcome = cli.run("import", "x", "--file", "-", "--issuer", ISSUER, "--json", input=json.dumps(jwk))
    assert json.loads(outcome.stdout)["imported"] == "from-elsewhere"
    del jwk["kid"]
    words = ("import", "y", "--file", "-", "--issuer", ISSUER, "--json", "--kid")
    assert json.loads(cli.run(*words, "-mine", input=json.dumps(jwk)).stdout)["imported"] == "-mine"
    jwk["kid"] = "another"
    refused = cli.run(*words, "mine", input=json.dumps(jwk), status=1)
    assert json.loads(refused.stderr.splitlines()[-1])["error"]["code"] == "key_refused"


def test_a_password_comes_from_the_environment_or_a_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted PEM opens with either; a wrong or missing password is refused without a prompt."""
    sealed, word = tmp_path / "sealed.pem", tmp_path / "word"
    sealed.write_bytes(pem(ec.generate_private_key(ec.SECP256R1()), b"open sesame"))
    words = ("import", "x", "--alg", "ES256", "--issuer", ISSUER, "--file", str(sealed))
    assert cli.error(*words, status=1)["code"] == "key_refused"
    monkeypatch.setenv("WORD", "wrong")
    assert cli.error(*words, "--password-env", "WORD", status=1)["code"] == "key_refused"
    word.write_text("open sesame\n")
    cli.run(*words, "--password-file", str(word))
    monkeypatch.setenv("WORD", "open sesame")
    cli.run("import", "y", *words[2:], "--password-env", "WORD")


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--file", "nowhere.pem"), 1, "file_unreadable"),
        (("--file", "."), 1, "file_unreadable"),
        (("--file", "text", "--alg", "ES256"), 1, "key_refused"),
        (("--file", "text", "--issuer", ISSUER), 2, "usage"),
        (("--file", "large", "--alg", "ES256"), 1, "key_refused"),
        (("--file", "text", "--password-env", "NOT_SET"), 2, "usage"),
        (("--file", "text", "--password-env", "A", "--password-file", "B"), 2, "usage"),
        (("--file", "text", "--password-file", "nowhere"), 1, "file_unreadable"),
    ],
)
def test_what_is_no_key_is_refused(cli: Cli, words: tuple[str, ...], status: int, code: str) -> None:
    """Missing, foreign, oversized and ill-described input each get their own error."""
    cli.create()
    (cli.home / "text").write_text("no key")
    (cli.home / "large").write_text("x" * 70_000)
    assert cli.error("import", "payments", *words, status=status)["code"] == code


def test_the_same_key_is_never_taken_under_another_name(cli: Cli, ec_pem: Path) -> None:
    """I9 holds for imports."""
    cli.create()
    cli.run("import", "payments", "--file", str(ec_pem))
    told = cli.error("import", "payments", "--file", str(ec_pem), "--kid", "other", status=1)
    assert told["code"] == "kid_reused"


def test_an_export_is_public(cli: Cli) -> None:
    """Every key is there with its state, and no private member of any."""
    cli.create()
    keys = cli.json("export", "payments")["keys"]
    assert len(keys) == 3
    assert {key["keyvault_jwt_state"] for key in keys} == {"active", "pre-activation"}
    assert not PRIVATE & {member for key in keys for member in key}


def test_private_halves_go_into_a_new_file_of_mode_0600(cli: Cli, tmp_path: Path) -> None:
    """And nowhere else: stdout names the file and the kids alone."""
    cli.create()
    out = tmp_path / "keys.jwks"
    told = cli.json("export", "payments", "--private", "--out", str(out))
    assert told["private"] is True
    assert out.stat().st_mode & 0o777 == 0o600
    kept = json.loads(out.read_text())["keys"]
    assert [key["kid"] for key in kept] == told["kids"]
    assert all(key["d"] for key in kept)
    assert not PRIVATE & set(told)


def test_private_halves_are_never_written_to_stdout_or_over_a_file(cli: Cli, tmp_path: Path) -> None:
    """Without a file, to `-`, and onto a file that is there: refused."""
    cli.create()
    there = tmp_path / "there"
    there.write_text("precious")
    assert cli.error("export", "payments", "--private", status=2)["code"] == "usage"
    assert cli.error("export", "payments", "--private", "--out", "-", status=2)["code"] == "usage"
    for path in (there, "/dev/stdout", tmp_path / "no" / "such"):
        told = cli.error("export", "payments", "--private", "--out", str(path), status=1)
        assert told["code"] == "file_unwritable"
    assert there.read_text() == "precious"


def test_the_jwks_is_the_one_verifiers_are_shown(cli: Cli) -> None:
    """A JWK Set of every published key, with the member that tells where it is of."""
    active = cli.create()["active"]
    shown = cli.json("jwks", "payments")
    assert shown["keys"][0]["kid"] == active
    assert shown["keyvault_jwt"]["ring"] == "payments"
    assert not PRIVATE & {member for key in shown["keys"] for member in key}


def test_a_symmetric_keyring_shows_no_secret(cli: Cli) -> None:
    """Its JWK Set is empty, and its public export too."""
    cli.create("shared", "--alg", "HS256")
    assert cli.json("jwks", "shared")["keys"] == []
    assert cli.json("export", "shared")["keys"] == []


def test_a_copied_keyring_lives_on_and_its_source_is_frozen(cli: Cli, tmp_path: Path) -> None:
    """Every kid goes along; the source takes no more changes and says where to go."""
    active = cli.create()["active"]
    target = f"file:{tmp_path / 'new'}"
    outcome = cli.json("copy", "payments", "--to", target)
    assert outcome["active"] == active
    assert outcome["copied"] == {"from": cli.store, "to": target}
    told = cli.error("rotate", "payments", status=3)
    assert told["code"] == "keyring_frozen"
    assert target in told["why"]
    assert cli.json("list")["keyrings"][0]["frozen_to"] == target
    assert "frozen" in cli.run("show", "payments").stdout
    assert cli.json("rotate", "payments", "--store", target)["active"] != active


@pytest.mark.parametrize("target", ["memory:", "SOURCE"])
def test_a_copy_to_nowhere_is_refused(cli: Cli, target: str) -> None:
    """Into a store that ends with the run, or into the same one, the keyring would be lost or locked."""
    cli.create()
    cli.error("copy", "payments", "--to", target.replace("SOURCE", cli.store), status=2)
    assert cli.json("list")["keyrings"][0]["frozen_to"] is None


def test_a_refused_copy_repeats_no_url(cli: Cli) -> None:
    """A store URL that was never opened may hold a password, and is not repeated."""
    told = cli.error("copy", "payments", "--store", "vault://u:PASSWORD@h/x", "--to", "memory:", status=2)
    assert "PASSWORD" not in str(told)
