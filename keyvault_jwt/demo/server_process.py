"""A JWKS server: the product's own, over the keyring's public document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from ..errors import UsageError
from ..server import create_app, running
from ..store_url import open_store
from .messages import SERVER_PART, Order, Ready
from .station import Station

HOST: Final = "127.0.0.1"
_TRIES: Final = 50
_PAUSE: Final = 0.1


def run(station: Station) -> None:
    """Publish until the pipe closes."""
    part = station.part(SERVER_PART)
    app = create_app(open_store(part.store), rings=[part.ring], default_ring=part.ring, operator_pages=False)
    with _answering(app, part.port) as address:
        station.tell(Ready((HOST, urlsplit(address).port or 0)))
        station.listen(_nothing)


@contextmanager
def _answering(app: ASGIApp, port: int) -> Iterator[str]:
    """Answer at the port; after a kill the kernel may need a moment before it gives it again."""
    for left in reversed(range(_TRIES)):
        try:
            with running(app, HOST, port) as address:
                yield address
                return
        except UsageError:
            if not left:
                raise
            time.sleep(_PAUSE)


def _nothing(_order: Order) -> None:
    """Take an order that is none of a server's."""
