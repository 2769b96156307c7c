"""The ROCA mark: found on moduli made that way, not on others."""

from __future__ import annotations

import math

from cryptography.hazmat.primitives.asymmetric import rsa

from keyvault_jwt.roca import has_roca_fingerprint

SMALL_PRIMES = [n for n in range(2, 168) if all(n % divisor for divisor in range(2, n))]


def test_modulus_of_the_broken_form_is_found() -> None:
    """A product of numbers k·M + 65537^a mod M bears the mark, whatever k and a are."""
    primorial = math.prod(SMALL_PRIMES)
    for k, a in ((1, 3), (12345, 678), (2**200 + 1, 2**60 + 7)):
        factor = k * primorial + pow(65537, a, primorial)
        assert has_roca_fingerprint(factor * (factor + 2 * primorial))


def test_modulus_of_another_make_is_not() -> None:
    """A key by `cryptography` does not bear it (by chance, one in 2^27 would)."""
    modulus = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers().n
    assert not has_roca_fingerprint(modulus)
