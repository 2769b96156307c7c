"""Session: what one run was told by its options, and its way to the store and to the two streams."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from . import terminal
from .progress import Progress

if TYPE_CHECKING:
    from ..events import Listener
    from ..key_manager import KeyManager
    from ..store import DocumentStore


@dataclass
class Session:
    """One run of the command line; `store_url` None means `KEYVAULT_JWT_STORE`."""

    store_url: str | None = None
    as_json: bool = False

    # --- saying ----------------------------------------------------------------------------

    def show(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Write the run's data to stdout: the document with `--json`, else the lines."""
        if self.as_json:
            terminal.put(json.dumps(document))
        else:
            for line in lines:
                terminal.put(line)

    def note(self, text: str) -> None:
        """Write a message to stderr; with `--json` as `{"note": …}`, so that stderr is JSON lines."""
        terminal.tell(json.dumps({"note": text}) if self.as_json else text)

    def during(self, what: str) -> AbstractContextManager[None]:
        """Watch over a block that does `what`, and say so on stderr once it takes long."""
        return Progress(self.note).of(what)

    # --- the store ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The store's URL by option or environment; raises `BadStoreURL` if neither names one."""
        from ..settings import Settings
        from ..store_url import open_store

        url = self.store_url or Settings().store
        if url is None:
            open_store(None)  # says so
        assert url is not None
        return url

    @contextmanager
    def store(self, url: str | None = None, *, prepare: bool = False) -> Iterator[DocumentStore]:
        """Open the store at `url`, by default the run's own, and close it at the end.

        With `prepare`, what a new store needs is made first, and said on stderr.
        """
        from ..store_url import open_store
        from ..stores.preparation import Prepares

        store = open_store(url or self.store_url)
        try:
            if prepare and isinstance(store, Prepares):
                for made in store.prepare():
                    self.note(made)
            yield store
        finally:
            close = getattr(store, "close", None)
            if close is not None:
                close()

    @contextmanager
    def manager(
        self, url: str | None = None, *, prepare: bool = False, listener: Listener | None = None
    ) -> Iterator[KeyManager]:
        """Open a manager over the store at `url`, which remembers what was seen in the state directory.

        Reports and errors are shown by the command itself, so its events go to `listener` alone.
        """
        from ..key_manager import KeyManager
        from .state import marks_of

        with self.store(url, prepare=prepare) as store:
            marks = marks_of(store, self.note)
            yield KeyManager(store, marks=marks, listener=listener or _unheard)


def _unheard(_event: object) -> None:
    """Take an event that the command shows in its own way."""


pass_session = click.make_pass_decorator(Session, ensure=True)
"""Hand a command the run's session as its first argument."""


def now() -> int:
    """Return the wall-clock time in milliseconds: the only place where a command reads a clock."""
    from ..clock import SystemClock

    return SystemClock().wall()


def interactive() -> bool:
    """Whether a person sits at stdin."""
    return sys.stdin is not None and sys.stdin.isatty()
