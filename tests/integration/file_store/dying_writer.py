"""`dying_writer.py DIR`: replace a document once for each point of the write path, killed at that point.

Prints a line of JSON for each: the step, before or after it, and the revision found afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from keyvault_jwt.jwk import Secret
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.filesystem import SystemFilesystem

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
KEY = Secret(os.urandom(32))


class Deadly:
    """The system's calls; the process is killed before or after one of them, or in the middle of a write."""

    def __init__(self, at: int | None = None, moment: str = "") -> None:
        self.steps: list[str] = []
        self._system, self._at, self._moment = SystemFilesystem(), at, moment

    def __getattr__(self, step: str) -> Callable[..., Any]:
        call = getattr(self._system, step)

        def run(*arguments: Any, **options: Any) -> Any:
            self.steps.append(step)
            here = len(self.steps) - 1 == self._at
            if here and self._moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            if here and self._moment == "amid" and step == "write":
                file, data = arguments
                call(file, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **options)
            if here and self._moment == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return run


def replace(directory: str, calls: Deadly, revision: int, expected: Version | None) -> None:
    """Replace the document where a dead writer left something aside, so that it has that to sweep too."""
    store = FileStore(directory, master_key=KEY, filesystem=calls)
    if expected is not None:
        (store.path / NAME.ring / ".authority.sealed.tmp").write_bytes(b"left by a dead writer")
    store.replace(NAME, Draft(b"%d" % revision * 1000, revision, uuid4()), expected=expected)


def main(directory: str) -> None:
    """Let a child die at each point, and look at what it left behind."""
    store = FileStore(directory, master_key=KEY)
    replace(directory, Deadly(), 1, None)
    steps = Deadly()
    seen = store.read(NAME)
    assert seen is not None
    replace(directory, steps, 2, seen.version)
    for at, step in enumerate(steps.steps):
        for moment in ("before", "amid", "after") if step == "write" else ("before", "after"):
            before = store.read(NAME)
            assert before is not None
            revision = before.draft.revision + 1
            child = os.fork()
            if child == 0:
                replace(directory, Deadly(at, moment), revision, before.version)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            after = store.read(NAME)
            assert after is not None
            report = {
                "step": step,
                "moment": moment,
                "killed": os.WIFSIGNALED(status),
                "replaced": after.draft.revision - before.draft.revision,
                "whole": after.draft.data == b"%d" % after.draft.revision * 1000,
                "listed": len(store.names()),
            }
            sys.stdout.write(json.dumps(report) + "\n")
    last = store.read(NAME)
    assert last is not None
    replace(directory, Deadly(), last.draft.revision + 1, last.version)


if __name__ == "__main__":
    main(sys.argv[1])
