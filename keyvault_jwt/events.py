"""What happened, as one frozen record, told to one-method listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

_LOGGER = logging.getLogger("keyvault_jwt")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `name` is stable and dotted (`keyring.promoted`, `signer.lease-expired`); `facts` holds kids,
    counts and codes, never key material or tokens; `alarm` asks for a person's attention.
    """

    name: str
    ring: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    alarm: bool = False


Listener: TypeAlias = Callable[[Event], None]
"""Called with each event, from whichever thread it happened in; must not block.

Whoever tells is not done yet: a `refresh` of the cache, signer or publisher that tells would wait
for itself, and is refused with `UsageError`.
"""


def log(event: Event) -> None:
    """Write the event to the `keyvault_jwt` logger: the default listener."""
    level = logging.WARNING if event.alarm else logging.DEBUG
    if _LOGGER.isEnabledFor(level):
        facts = " ".join(f"{name}={value}" for name, value in event.facts.items())
        _LOGGER.log(level, "%s ring=%s %s", event.name, event.ring or "-", facts)
