"""AWS-LC is asked for what it serves, and `cryptography` for everything else."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from awscrt import crypto

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.engine import CRYPTOGRAPHY
from keyvault_jwt.errors import WrongKeyType
from keyvault_jwt.fast import AWSLC, SERVED
from keyvault_jwt.key_factory import public_half
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import InvalidSignature
from keyvault_jwt.verifier import Verifier
from tests.unit.conftest import jwk_set
from tests.unit.fast.conftest import DATA, MakeKey, bound


@pytest.mark.parametrize("name", ALGORITHMS)
def test_aws_lc_is_asked_for_what_it_serves(name: str, make_key: MakeKey, asked: list[str]) -> None:
    """RS256, PS256 and ES256 are checked by AWS-LC, and nothing else is: it is really used."""
    key = bound(name, make_key(name, 0).private)
    for check in (key.ours, key.theirs):
        assert check(key.good, DATA)
    assert asked == {"RS256": ["RSA"], "PS256": ["RSA"], "ES256": ["EC"]}.get(name, [])
    assert (name in SERVED) is bool(asked)


@pytest.mark.parametrize("name", sorted(SERVED))
def test_another_width_is_refused_unasked(name: str, make_key: MakeKey, asked: list[str]) -> None:
    """A signature of another width than the key's costs no arithmetic, whatever AWS-LC would say of it."""
    key = bound(name, make_key(name, 0).private)
    good, half = key.good, len(key.good) // 2
    for bad in (
        b"",
        good[:-1],
        good[1:],
        good + b"\0",
        b"\0" + good,
        good[:half] + b"\0" + good[half:],
        good * 2,
    ):
        assert key.ours(bad, DATA) is False
    assert asked == []


@pytest.mark.parametrize("name", sorted(SERVED))
@pytest.mark.parametrize("failure", [RuntimeError, ValueError])
def test_no_answer_is_no_refusal(
    name: str, failure: type[Exception], make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where awscrt fails in the midst of a check, `cryptography` makes it, of good and bad signatures."""

    def fail(*_: object) -> bool:
        raise failure("out of order")

    for kind in (crypto.RSA, crypto.EC):
        monkeypatch.setattr(kind, "verify", fail)
    key = bound(name, make_key(name, 0).private)
    assert key.ours(key.good, DATA) is True
    assert key.ours(key.good, DATA + b"x") is False


@pytest.mark.parametrize("name", sorted(SERVED))
def test_keys_of_another_kind_are_refused(name: str, make_key: MakeKey) -> None:
    """A key of another type or curve is refused as the row refuses it."""
    row, kinds = ALGORITHMS[name], ("ES256", "ES384", "ES512", "Ed25519", "RS256", "HS512", "ML-DSA-44")
    others = [kind for kind in kinds if (ALGORITHMS[kind].kty, ALGORITHMS[kind].crv) != (row.kty, row.crv)]
    assert len(others) == len(kinds) - 1
    for other in others:
        with pytest.raises(WrongKeyType, match=f"{name} can't use"):
            AWSLC().verifier(row, public_half(make_key(other, 0).private))


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_verifier_of_each_engine_over_one_cache(
    name: str, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, asked: list[str]
) -> None:
    """Verifiers of both engines share a cache, each asks its own, and both say the same of a token."""
    key = make_key(name, 0)
    token = key.token(claims)
    cache = JWKSCache.from_document(jwk_set(key.jwk()))
    expected = {"issuer": None, "audience": None, "algorithms": [name], "clock": clock}
    forged = f"{key.token(claims | {'sub': 'u2'}).rpartition('.')[0]}.{token.rpartition('.')[2]}"
    for engine in (CRYPTOGRAPHY, AWSLC(), CRYPTOGRAPHY):
        verifier = Verifier(cache, **expected, engine=engine)
        asked.clear()
        for _ in ("cold", "warm"):
            assert verifier.verify(token) == claims
            with pytest.raises(InvalidSignature):
                verifier.verify(forged)
        assert bool(asked) is (engine == AWSLC())


def test_the_extra_is_named_where_it_is_missing() -> None:
    """Without awscrt the import fails with the extra's name; nothing else of the package needs it."""
    script = (
        "import sys; sys.modules.update(awscrt=None)\n"
        "import keyvault_jwt as kj; [getattr(kj, name) for name in kj.__all__]\n"
        "try: import keyvault_jwt.fast\n"
        "except kj.KeyvaultJWTError as missing: print(missing.code, missing)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("missing_extra ")
    assert "keyvault-jwt[fast]" in done.stdout
