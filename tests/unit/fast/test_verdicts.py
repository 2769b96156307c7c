"""AWS-LC says of every signature what `cryptography` says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.fast import SERVED
from tests.unit.fast.conftest import DATA, MakeKey, bound


def mutants(good: bytes, dice: random.Random) -> Iterator[bytes]:
    """Return signatures near a good one: bytes and bits changed, cut, grown, turned, and numbers moved."""
    half, whole = len(good) // 2, int.from_bytes(good, "big")
    for _ in range(150):
        changed = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        yield bytes(changed)
    for _ in range(20):
        yield dice.randbytes(len(good))
        yield good[: dice.randrange(len(good))]
        yield good + dice.randbytes(dice.randint(1, 9))
    for moved in (whole - 1, whole + 1, whole ^ (1 << (8 * len(good) - 1)), 0, 1, (1 << 8 * len(good)) - 1):
        yield (moved % (1 << 8 * len(good))).to_bytes(len(good), "big")
    yield from (
        b"",
        good[half:] + good[:half],
        good[::-1],
        bytes(half) + good[half:],
        good[:half] + bytes(half),
    )
    yield from (b"\0" + good, good + b"\0", good[1:], good + good, bytes(good))


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_changed_signature_gets_the_same_verdict(name: str, make_key: MakeKey) -> None:
    """Of several hundred signatures near a good one, both accept the good one and the very same others."""
    for number in range(2):
        key = bound(name, make_key(name, number).private)
        tried = list(mutants(key.good, random.Random(number)))
        verdicts = [key.ours(signature, DATA) for signature in tried]
        assert verdicts == [key.theirs(signature, DATA) for signature in tried]
        assert 0 < sum(verdicts) < 5
        for data in (b"", DATA[:-1], DATA + b"\0"):
            assert key.ours(key.good, data) is False


def test_short_numbers_of_an_ecdsa_signature(make_key: MakeKey) -> None:
    """An r or s that begins with a zero byte is taken with it, and refused without."""
    private = make_key("ES256", 0).private
    verify, sign = bound("ES256", private).ours, ALGORITHMS["ES256"].signer(private)
    met: set[int] = set()
    while met != {0, 32}:
        good = sign(DATA)
        assert verify(good, DATA) is True
        for place in (place for place in (0, 32) if good[place] == 0):
            met.add(place)
            assert verify(good[:place] + good[place + 1 :], DATA) is False
