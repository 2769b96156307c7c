"""The mark of RSA moduli whose factors can be computed: ROCA, CVE-2017-15361."""

from __future__ import annotations

from functools import cache


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether an RSA modulus was made by Infineon's broken generator.

    Its primes are powers of 65537 modulo a product of small primes, so the modulus is such a
    power modulo each of them (Nemec et al., CCS 2017).  A modulus of another make passes all
    these by chance once in 2^27.
    """
    return all(modulus % prime in powers for prime, powers in _groups())


@cache
def _groups() -> tuple[tuple[int, frozenset[int]], ...]:
    primes = [n for n in range(3, 168) if all(n % divisor for divisor in range(2, n))]
    return tuple((p, frozenset(pow(65537, power, p) for power in range(p - 1))) for p in primes)
