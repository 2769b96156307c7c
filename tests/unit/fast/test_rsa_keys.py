"""AWS-LC says of RSA keys of every width and exponent what `cryptography` says."""

from __future__ import annotations

import itertools
from math import gcd, prod

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from keyvault_jwt.jwk import MAX_RSA_BITS
from tests.unit.fast.conftest import DATA, both

PADDINGS = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(SHA256()), 32)}


@pytest.fixture(scope="module")
def primes() -> dict[int, list[int]]:
    """Some primes of each of some widths; two of them make a modulus of just as many bits as both."""
    found = {}
    for bits, pairs in ((512, 1), (516, 1), (1024, 4), (1025, 1), (1026, 1), (1028, 1)):
        keys = [rsa.generate_private_key(65537, 2 * bits).private_numbers() for _ in range(pairs)]
        found[bits] = [prime for key in keys for prime in (key.p, key.q)]
    return found


def private_key(ps: list[int], qs: list[int], e: int) -> rsa.RSAPrivateKey:
    """Return the RSA key of these primes; several on a side are quicker to find than one that is as wide."""
    p, q = prod(ps), prod(qs)
    d = pow(e, -1, prod(prime - 1 for prime in ps + qs))
    ends = [d % prod(prime - 1 for prime in side) for side in (ps, qs)]
    numbers = rsa.RSAPrivateNumbers(p, q, d, *ends, pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@pytest.mark.parametrize("name", ["RS256", "PS256"])
@pytest.mark.parametrize(
    "widths",
    [
        (512, 512),
        (512, 516),
        (1024, 1024),
        (1024, 1025),
        (1024, 1026),
        (1025, 1026),
        (1024, 1028),
        (1026, 1028),
    ],
    ids=str,
)
def test_widths_of_a_modulus(primes: dict[int, list[int]], widths: tuple[int, int], name: str) -> None:
    """Moduli that fill no whole byte are served too, the one whose PSS block is a byte shorter among them."""
    private = private_key(primes[widths[0]][:1], primes[widths[1]][-1:], 65537)
    assert private.key_size == sum(widths)
    assert_same(name, private)


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_widest_modulus(primes: dict[int, list[int]], name: str) -> None:
    """A modulus about as wide as a key set may hold is served."""
    private = private_key(primes[1024][:4], primes[1024][4:], 65537)
    assert MAX_RSA_BITS - 8 < private.key_size <= MAX_RSA_BITS
    assert_same(name, private)


@pytest.mark.parametrize("name", ["RS256", "PS256"])
@pytest.mark.parametrize("least", [3, 17, 1 << 31, 1 << 32, 1 << 33, 1 << 64, 1 << 255])
def test_exponents(primes: dict[int, list[int]], least: int, name: str) -> None:
    """Every exponent is served, those of more than 33 bits too, which AWS-LC gives no verdict on."""
    p, q = primes[1024][:2]
    e = next(e for e in itertools.count(least | 1, 2) if gcd(e, (p - 1) * (q - 1)) == 1)
    private = private_key([p], [q], e)
    assert_same(name, private)


def assert_same(name: str, private: rsa.RSAPrivateKey) -> None:
    """A good signature is taken by both engines, and the numbers near it by neither."""
    good, n = private.sign(DATA, PADDINGS[name], SHA256()), private.public_key().public_numbers().n
    value, width = int.from_bytes(good, "big"), len(good)
    wrong = [good[:-1], good + b"\0", b"\0" + good, b""]
    numbers = (0, 1, n - 1, n, n - value, value + 1, value + n, (1 << 8 * width) - 1)
    wrong += [number.to_bytes(width, "big") for number in numbers if number < 1 << 8 * width]
    for check in both(name, private.public_key()):
        assert check(good, DATA) is True
        assert {check(signature, DATA) for signature in wrong} == {False}
        assert check(good, DATA + b"x") is False


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_numbers_that_are_no_rsa_key(primes: dict[int, list[int]], name: str) -> None:
    """Where AWS-LC takes no key, of an even modulus say, `cryptography` answers as ever."""
    n = primes[1024][0] * primes[1024][1]
    for e, modulus in ((65537, n - 1), (n - 2, n)):
        public = rsa.RSAPublicNumbers(e, modulus).public_key()
        for check in both(name, public):
            assert check(b"\1" * 256, DATA) is False
