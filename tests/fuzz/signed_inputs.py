"""What was really signed, by which key, with which algorithm: the ground truth of a false accept."""

from __future__ import annotations

from tests.fuzz.holder import Holder, Identity

_ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int(f"{48 * 'F'}C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16),
    "ES512": int(f"1{65 * 'F'}A51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
}
"""Orders of the curves' groups (SEC 2)."""


class SignedInputs:
    """Signing inputs and their signatures.  `under` looks in another, too, which is never written to."""

    def __init__(self, under: SignedInputs | None = None) -> None:
        self._signatures: dict[tuple[Identity, str, bytes], set[bytes]] = {}
        self._under = under

    def sign(self, holder: Holder, algorithm: str, data: bytes) -> bytes:
        """Return the holder's signature, and remember that it was made."""
        signature = holder.sign(algorithm, data)
        key = (holder.identity, _row(algorithm), data)
        self._signatures.setdefault(key, set()).add(signature)
        return signature

    def holds(self, identity: Identity, algorithm: str, data: bytes, signature: bytes) -> bool:
        """Whether this signature of this very input was made by the holder of that key.

        For ECDSA also (r, n - s): whoever sees (r, s) can write it, and it says the same (FIPS 186-5
        asks for no low s, nor does RFC 7518).
        """
        made = self._signatures.get((identity, _row(algorithm), data))
        if made is not None and (signature in made or twin(algorithm, signature) in made):
            return True
        return self._under is not None and self._under.holds(identity, algorithm, data, signature)


def order_of(algorithm: str) -> int | None:
    """Return the order of the algorithm's group; None for all but ECDSA."""
    return _ORDERS.get(algorithm)


def twin(algorithm: str, signature: bytes) -> bytes | None:
    """Return (r, n - s) for (r, s); None for what is no ECDSA signature."""
    order, half = _ORDERS.get(algorithm), len(signature) // 2
    if order is None or len(signature) % 2 or half != (order.bit_length() + 7) // 8:
        return None
    s = int.from_bytes(signature[half:], "big")
    return signature[:half] + (order - s).to_bytes(half, "big") if 0 < s < order else None


def at_width(algorithm: str, signature: bytes) -> bytes | None:
    """Return r and s at the curve's width, if they stand at another; None for what is no ECDSA signature."""
    order, half = _ORDERS.get(algorithm), len(signature) // 2
    if order is None:
        return None
    width = (order.bit_length() + 7) // 8
    r, s = (number.lstrip(b"\0").rjust(width, b"\0") for number in (signature[:half], signature[half:]))
    return r + s if len(r) == len(s) == width != half else None


def _row(algorithm: str) -> str:
    return "Ed25519" if algorithm == "EdDSA" else algorithm
