"""Keys from elsewhere: none is taken in whose tokens verifiers would refuse."""

from __future__ import annotations

from math import gcd, lcm

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keyvault_jwt.errors import KeyRefused
from keyvault_jwt.key_import import import_pem


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def rsa_with_exponent_from(least: int) -> rsa.RSAPrivateKey:
    """Return a 2048-bit RSA key whose public exponent is the first that fits, from `least` up."""
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    p, q = numbers.p, numbers.q
    e = least | 1
    while gcd(e, (p - 1) * (q - 1)) != 1:
        e += 2
    d = pow(e, -1, lcm(p - 1, q - 1))
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, p * q)).private_key()


def test_key_that_verifiers_leave_out_is_refused() -> None:
    """A key beyond the bounds of a verifier would sign tokens that are all refused, so it stays out."""
    with pytest.raises(KeyRefused, match="out of bounds"):
        import_pem(pem(rsa_with_exponent_from(1 << 33)), "RS256")
    assert import_pem(pem(rsa_with_exponent_from(65537)), "RS256").algorithm == "RS256"


@pytest.mark.parametrize("kid", ["", "a" * 257, "a\nb", "\x1b[2J"])
def test_kid_that_can_not_be_shown_is_refused(kid: str) -> None:
    """A kid stands in logs and on terminals, where it must not act."""
    with pytest.raises(KeyRefused, match="a kid has"):
        import_pem(pem(ec.generate_private_key(ec.SECP256R1())), "ES256", kid=kid)
