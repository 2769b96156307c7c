"""The Lambda function with which Secrets Manager rotates a keyring.

It is configured by the variables of the command line, `KEYVAULT_JWT_STORE` above all, and keeps
nothing between two invocations.
"""

from __future__ import annotations

from copy import copy
from typing import Protocol

from keyvault_jwt.clock import SystemClock
from keyvault_jwt.errors import BadStoreURL, KeyvaultJWTError
from keyvault_jwt.events import Event
from keyvault_jwt.marks import MarkStore, MemoryMarks
from keyvault_jwt.settings import Settings
from keyvault_jwt.store_url import open_store
from keyvault_jwt.stores.mark_files import MarkFiles

from .rotation.asked import Asked
from .rotation.journal import journal
from .rotation.remaining import Remaining
from .rotation.steps import Rotation, Surroundings
from .secrets_store import AwsStore


class Context(Protocol):
    """What the handler asks of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left before the function is ended."""
        ...


def handler(event: object, context: Context) -> dict[str, str]:
    """Take the step that Secrets Manager, or the schedule, asks for, and return what was done.

    What is raised is this project's own, with nothing secret in it: Lambda logs tracebacks.
    """
    try:
        return _taken(event, context)
    except KeyvaultJWTError as error:
        failure = copy(error)  # without the frames that held documents
    except Exception as error:  # noqa: BLE001 -- whatever it is, its text may quote a secret
        failure = KeyvaultJWTError(
            "the rotation function failed within itself",
            why=f"{type(error).__name__}; its text is withheld, since it may quote a document",
            fix="report this as a bug; the next invocation takes up what was begun",
        )
    journal(Event("rotation.failed", facts={**_named(event), **failure.as_dict()}, alarm=True))
    raise failure


def _taken(event: object, context: Context) -> dict[str, str]:
    settings, clock = Settings(), SystemClock()
    begun = clock.monotonic()
    store = open_store(settings.store)
    if not isinstance(store, AwsStore):
        raise BadStoreURL(
            "KEYVAULT_JWT_STORE names no keyrings in Secrets Manager",
            why="this function rotates what Secrets Manager holds",
            fix="write it like awssm://eu-west-1/jwt",
        )
    with store:
        address = store.service.address
        asked = Asked.of(event, address)
        remaining = Remaining(context.get_remaining_time_in_millis, address.deadline)
        marks: MarkStore = MarkFiles(settings.state, repr(store)) if settings.state else MemoryMarks()
        done = Rotation(asked, Surroundings(store, remaining, clock, journal, marks)).take()
    facts = {**_named(event), "outcome": done, "milliseconds": clock.monotonic() - begun}
    journal(Event(f"rotation.{asked.step}", asked.name.ring, facts))
    return {"step": asked.step.value, "ring": asked.name.ring, "outcome": done}


def _named(event: object) -> dict[str, str | int]:
    """Return what of the event says which rotation it is: nothing else of it is logged."""
    named = {"step": "Step", "token": "ClientRequestToken", "secret": "SecretId"}
    if not isinstance(event, dict):
        return {}
    return {fact: event[key][:200] for fact, key in named.items() if isinstance(event.get(key), str)}
