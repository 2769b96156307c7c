"""The steps that the store contracts are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import uuid4

from ..errors import Conflict
from ..store import DocumentName, DocumentStore, Draft, Version, Versioned, staleness_of

_Result = TypeVar("_Result")


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


def settled(store: DocumentStore, look: Callable[[], _Result], wanted: Callable[[_Result], bool]) -> _Result:
    """Return what `look` sees, once it is `wanted` or the store's own staleness has passed."""
    deadline = time.monotonic() + staleness_of(store) / 1000
    while True:
        seen = look()
        if wanted(seen) or time.monotonic() >= deadline:
            return seen
        time.sleep(0.01)


def read_at(store: DocumentStore, name: DocumentName, version: Version) -> Versioned:
    """Return the document as of `version`, which must be what reads show within S."""
    seen = settled(store, lambda: store.read(name), lambda it: it is not None and it.version == version)
    assert seen is not None, f"{name} reads as absent {staleness_of(store)} ms after it was written"
    assert seen.version == version, (
        f"{name} reads as version {seen.version} {staleness_of(store)} ms after {version} was written"
    )
    return seen


def won(store: DocumentStore, name: DocumentName, mine: Draft, expected: Version | None) -> Version | None:
    """Return the version that a write got, None if it lost by `Conflict`."""
    try:
        return store.replace(name, mine, expected=expected)
    except Conflict:
        return None


def at_once(jobs: list[Callable[[], _Result]]) -> list[_Result]:
    """Run the jobs in as many threads and return their results in order."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
