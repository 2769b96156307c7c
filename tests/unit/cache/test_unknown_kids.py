"""Unknown kids: what a made-up one may cost."""

from __future__ import annotations

from keyvault_jwt.cache.unknown_kids import UnknownKids


def make() -> UnknownKids:
    """Three requests in a burst, one more in each second, 10 s of memory for four kids."""
    return UnknownKids(burst=3, refill=1_000, forget=10_000, capacity=4, now=0)


def test_bucket() -> None:
    """The burst is spent, then one token comes with each refill, and never more than the burst."""
    kids = make()
    assert [kids.spend(0) for _ in range(5)] == [True, True, True, False, False]
    assert [kids.spend(999), kids.spend(1_000), kids.spend(1_001)] == [False, True, False]
    assert [kids.spend(1_000_000) for _ in range(4)] == [True, True, True, False]


def test_memory_of_absent_kids() -> None:
    """A kid that the source lacked is known for a while; another kid, or no kid, is another matter."""
    kids = make()
    kids.remember("a", 0)
    assert kids.known_absent("a", 9_999)
    assert not kids.known_absent("a", 10_000)
    assert not kids.known_absent("b", 0)
    assert not kids.known_absent(None, 0)
    kids.remember(None, 0)
    assert kids.known_absent(None, 0)


def test_memory_is_bounded() -> None:
    """The kids remembered longest ago are forgotten first, however many there are."""
    kids = make()
    for number in range(100_000):
        kids.remember(str(number), 0)
    assert [kids.known_absent(str(n), 0) for n in (0, 99_995, 99_996, 99_999)] == [False, False, True, True]
    kids.remember("99996", 0)
    kids.remember("new", 0)
    assert kids.known_absent("99996", 0)
    assert not kids.known_absent("99997", 0)
