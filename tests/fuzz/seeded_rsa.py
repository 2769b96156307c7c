"""RSA keys from a seed's dice, so that a mutant is the same in every run; never for anything but tests."""

from __future__ import annotations

import random
from math import gcd, prod

from cryptography.hazmat.primitives.asymmetric import rsa

_EXPONENT = 65537
_SMALL = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))
_SIEVE = prod(_SMALL)


def seeded_rsa(dice: random.Random, bits: int) -> rsa.RSAPrivateKey:
    """Return the next key of `bits` bits."""
    p, q = _prime(dice, bits // 2), _prime(dice, bits // 2)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key()


def _prime(dice: random.Random, bits: int) -> int:
    while True:
        # The two highest bits are set, so that the product of two has all its bits.
        candidate = dice.getrandbits(bits) | 3 << (bits - 2) | 1
        if gcd(candidate, _SIEVE) == 1 and (candidate - 1) % _EXPONENT and _is_prime(candidate, dice):
            return candidate


def _is_prime(candidate: int, dice: random.Random) -> bool:
    """Miller and Rabin's test, of a number from the dice: eight rounds leave no doubt that matters here."""
    odd, twos = candidate - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    for _ in range(8):
        x = pow(dice.randrange(2, candidate - 1), odd, candidate)
        if x in (1, candidate - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % candidate
            if x == candidate - 1:
                break
        else:
            return False
    return True
