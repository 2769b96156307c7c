"""What memory a cache takes that holds a large set, each key of which was used."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from contextlib import closing
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from keyvault_jwt import jwk
from tests.unit.conftest import Endpoint

from .cache_holder import USAGE
from .figure import Figure, NotMeasurable
from .token_keys import AUDIENCE, ISSUER

KEYS: Final = 1_000
RUNS: Final = 3


def measure() -> float:
    """Return the megabytes by which a process is larger whose cache holds the keys instead of none.

    They are RSA keys of 2048 bits, the heaviest that are common, and don't say their `alg`, so that each
    is listed under six.  Counted are the pages that are the process's alone, once a token of each key was
    verified: keys live in OpenSSL's memory, which Python's own count leaves out.
    """
    if not USAGE.exists():
        raise NotMeasurable(f"it takes Linux's {USAGE}")
    keys = _rsa_keys()
    tokens = "".join(f"{_token(key, kid)}\n" for kid, key in keys.items())
    endpoint = Endpoint()
    with closing(endpoint):
        empty = _private_bytes(endpoint.url, "")
        endpoint.publish(*(jwk.public_members(key.public_key()) | {"kid": kid} for kid, key in keys.items()))
        return (_private_bytes(endpoint.url, tokens) - empty) / 1_000_000


def _private_bytes(url: str, tokens: str) -> float:
    command = [sys.executable, "-m", "benchmarks.cache_holder", url, ISSUER, AUDIENCE]
    return statistics.median(
        int(subprocess.run(command, input=tokens, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(RUNS)
    )


def _rsa_keys() -> dict[str, rsa.RSAPrivateKey]:
    """Return keys by kid, each of two primes out of few: to find two for each would take minutes."""
    primes = [prime for _ in range(23) for prime in _primes()]
    pairs = itertools.islice(itertools.combinations(primes, 2), KEYS)
    keys = [_rsa_key(p, q) for p, q in pairs]
    assert len(keys) == KEYS
    return {jwk.thumbprint(jwk.public_members(key.public_key())): key for key in keys}


def _primes() -> tuple[int, int]:
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    return numbers.p, numbers.q


def _rsa_key(p: int, q: int) -> rsa.RSAPrivateKey:
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(65537, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _token(key: rsa.RSAPrivateKey, kid: str) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 3600}
    return jwt.encode(claims, key, "RS256", headers={"kid": kid})


FIGURE = Figure(
    "cache_1000_keys_mb",
    f"MB that a process grows by with {KEYS:,} RSA keys of 2048 bits in its cache, each used",
    10,
    measure,
)
