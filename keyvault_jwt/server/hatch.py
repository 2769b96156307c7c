"""Hatch: JWK Sets in whole answers, printed once for each set and handed out without the application."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from starlette.responses import Response

from ..published_set import PublishedSet
from ..publisher import Publisher
from .fleet import Fleet
from .gate import seal
from .public_pages import JWKS_PATH, PublicPages, set_answer

# A name spelt plainly, which the fleet has or not: any other spelling is the application's to read.
_TARGET: Final = re.compile(rb"(?:/([\w.-]+))?" + re.escape(JWKS_PATH.encode()))


class Printed(NamedTuple):
    """An answer in bytes: its status line and fields, to which a server adds its own, and its body."""

    head: bytes
    body: bytes


class _Edition(NamedTuple):
    published: PublishedSet
    whole: Printed
    unchanged: Printed


class Hatch:
    """Answers the plain question for a set as the application would, or leaves it to the application.

    `count` is told what the gate's is.  For one event loop, not for several threads.
    """

    def __init__(
        self, fleet: Fleet, pages: PublicPages, default_ring: str, count: Callable[[str, int], None]
    ) -> None:
        self._fleet, self._pages, self._default, self._count = fleet, pages, default_ring, count
        self._editions: WeakKeyDictionary[Publisher, _Edition] = WeakKeyDictionary()

    def answer(self, target: bytes, fields: Mapping[bytes, bytes], client: str) -> Printed | None:
        """Return the answer to a GET of `target`; None if it is not a set that may go out now.

        `fields` are the request's, each of which stood there once, by their names in lower case.
        """
        asked = _TARGET.fullmatch(target)
        if asked is None:
            return None
        ring = self._default if asked[1] is None else asked[1].decode()
        publisher = self._fleet.publisher(ring)
        found = None if publisher is None else publisher.peek()
        if publisher is None or found is None:
            return None
        has = fields.get(b"if-none-match", b"").decode("latin-1")
        agent = fields.get(b"user-agent", b"").decode("latin-1")
        unchanged = self._pages.visit(ring, found, client, agent, has)
        self._count(PublicPages.jwks.__name__, HTTPStatus.NOT_MODIFIED if unchanged else HTTPStatus.OK)
        edition = self._edition(publisher, found)
        return edition.unchanged if unchanged else edition.whole

    def _edition(self, publisher: Publisher, found: PublishedSet) -> _Edition:
        edition = self._editions.get(publisher)
        if edition is None or edition.published is not found:
            whole, unchanged = (_printed(set_answer(found, unchanged=has)) for has in (False, True))
            edition = self._editions[publisher] = _Edition(found, whole, unchanged)
        return edition


def _printed(answer: Response) -> Printed:
    seal(answer.headers)
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status} {status.phrase}\r\n".encode()]
    lines += (b"%b: %b\r\n" % field for field in answer.raw_headers)
    return Printed(b"".join(lines), bytes(answer.body))
