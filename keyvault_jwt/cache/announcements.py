"""What a cache tells its listener: facts, never key material, tokens or credentials."""

from __future__ import annotations

import logging
from typing import Final

from ..errors import ForeignDocument, FutureDocument, KeyvaultJWTError, RolledBack
from ..events import Event, Listener
from .health import State
from .shelf import Held

_LOGGER: Final = logging.getLogger("keyvault_jwt")


class Announcer:
    """Tells one listener about one cache; a listener that raises stops nothing."""

    def __init__(self, source: str, listener: Listener) -> None:
        self._source, self._listener = source, listener

    def refreshed(self, before: Held | None, now: Held) -> None:
        """`cache.refreshed`, and what is remarkable about a set with other keys."""
        origin, changed = now.parsed.origin, before is None or before.parsed.keys != now.parsed.keys
        ring = "" if origin is None else origin.ring
        facts: dict[str, str | int] = {
            "changed": int(changed),
            "keys": len(now.parsed.keys),
            "skipped": len(now.parsed.skipped),
        }
        if origin is not None:
            facts |= {"epoch": origin.epoch, "revision": origin.revision}
        self._tell(Event("cache.refreshed", ring, facts))
        if not changed:
            return
        if before is not None and origin is not None and before.parsed.origin == origin:
            # One revision has one set of keys; somebody wrote without a commit.
            self._tell(Event("cache.revision-reused", ring, {"revision": origin.revision}, alarm=True))
        for key in now.parsed.skipped:
            reason: dict[str, str | int] = {
                "kid": _shown(key.kid or ""),
                "code": key.code,
                "reason": key.reason,
            }
            self._tell(Event("cache.key-skipped", ring, reason, alarm=key.code == "private_member"))

    def failed(self, error: KeyvaultJWTError, state: State, failures: int) -> None:
        """`cache.refresh-failed`: an alarm once the set is past its max-age, or for a false set."""
        alarm = state != "fresh" or isinstance(error, RolledBack | ForeignDocument | FutureDocument)
        facts: dict[str, str | int] = {
            "code": error.code,
            "what": error.what,
            "why": error.why,
            "failures": failures,
            "state": state,
        }
        self._tell(Event("cache.refresh-failed", "", facts, alarm))

    def denied(self, name: str) -> None:
        """`cache.denied`: a kid or thumbprint was withdrawn here."""
        self._tell(Event("cache.denied", "", {"kid": _shown(name)}))

    def state_failed(self, error: KeyvaultJWTError) -> None:
        """`cache.state-failed`: what should survive a restart could not be kept."""
        self._tell(Event("cache.state-failed", "", {"code": error.code, "what": error.what}, alarm=True))

    def _tell(self, event: Event) -> None:
        told = Event(event.name, event.ring, {"source": self._source, **event.facts}, event.alarm)
        try:
            self._listener(told)
        except Exception:
            _LOGGER.exception("a listener failed on %s", event.name)


def _shown(kid: str) -> str:
    """Return a kid that somebody else chose so that it can't forge a line of a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in kid[:128])
