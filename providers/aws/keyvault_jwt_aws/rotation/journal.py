"""Journal: what a Lambda function did, one line of JSON each, for CloudWatch Logs and its filters."""

from __future__ import annotations

import json
import sys

from keyvault_jwt.events import Event

from .held_back import Held


def journal(event: Event) -> None:
    """Write an event to stdout, which Lambda takes to the log group; it holds no key and no token."""
    if event.facts.get("code") == Held.code:
        return
    line = {"event": event.name, "ring": event.ring, "alarm": event.alarm, **event.facts}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
