"""What a kid that no set holds may cost: a token from a bucket, once, and then nothing."""

from __future__ import annotations

from collections import OrderedDict

from ..clock import Milliseconds


class UnknownKids:
    """A token bucket and a bounded memory of kids that the source did not have.

    A made-up kid can cause a request only while the bucket holds a token, and the same one only
    once in `forget` milliseconds.  Scheduled refreshes take nothing from the bucket: that is the
    reserve that made-up kids can't spend.  Times are monotonic milliseconds.  Not thread-safe.
    """

    __slots__ = ("_absent", "_burst", "_capacity", "_forget", "_refill", "_tokens", "_updated")

    def __init__(
        self, *, burst: int, refill: Milliseconds, forget: Milliseconds, capacity: int, now: Milliseconds
    ) -> None:
        self._burst, self._refill, self._forget, self._capacity = burst, refill, forget, capacity
        self._tokens, self._updated = float(burst), now
        self._absent: OrderedDict[str | None, Milliseconds] = OrderedDict()

    def known_absent(self, kid: str | None, now: Milliseconds) -> bool:
        """Whether the source was asked for the kid lately and did not have it."""
        until = self._absent.get(kid)
        return until is not None and now < until

    def spend(self, now: Milliseconds) -> bool:
        """Take a token for one request; False if there is none."""
        self._tokens = min(float(self._burst), self._tokens + (now - self._updated) / self._refill)
        self._updated = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def remember(self, kid: str | None, now: Milliseconds) -> None:
        """Note that the source, asked just now, does not have the kid."""
        self._absent[kid] = now + self._forget
        self._absent.move_to_end(kid)
        while len(self._absent) > self._capacity:
            self._absent.popitem(last=False)
