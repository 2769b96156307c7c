"""`python -m keyvault_jwt.testing.increments URL RING COUNT`: count RING's authority up by CAS."""

from __future__ import annotations

import sys
from uuid import uuid4

from ..errors import Conflict
from ..store import DocumentKind, DocumentName, DocumentStore, Draft
from ..store_url import open_store


def increment(store: DocumentStore, name: DocumentName) -> int:
    """Count the document up by one and return what it came to."""
    while True:
        seen = store.read(name)
        count, revision = (int(seen.draft.data), seen.draft.revision) if seen else (0, 0)
        mine = Draft(b"%d" % (count + 1), revision + 1, uuid4())
        try:
            store.replace(name, mine, expected=seen.version if seen else None)
        except Conflict:
            continue
        return count + 1


def main(url: str, ring: str, count: str) -> None:
    """Count up `count` times, telling each number on stdout once it is kept."""
    store, name = open_store(url), DocumentName(ring, DocumentKind.AUTHORITY)
    for _ in range(int(count)):
        sys.stdout.write(f"{increment(store, name)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
