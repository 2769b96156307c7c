"""`up`: everything at once on one machine, for as long as it runs."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Final

import click

from ...errors import IssuerMismatch, KeyringExists, KeyringNotFound
from ...store import check_ring_name
from ..chronicle import Chronicle
from ..invocation import typed
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..signals import ending
from ..state import marks_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ...key_manager import KeyManager
    from ...keyring import Keyring

STORE: Final = "file:.keyvault-jwt"


@click.command("up", cls=RingCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8700,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Its port; 0 takes a free one.",
)
@click.option(
    "--issuer", metavar="URL", help="The issuer of a new keyring.  [default: http://HOST:PORT/RING]"
)
@click.option("--ring", default="default", show_default=True, help="The keyring to make if it is not there.")
@pass_session
def command(session: Session, host: str, port: int, issuer: str | None, ring: str) -> None:
    """Make a keyring if there is none; rotate, publish and show it.

    Runs the scheduler, the JWKS endpoint and the dashboard until SIGINT or SIGTERM, over the
    store file:.keyvault-jwt if none is named.  Where a new store's master key was put is said
    on stderr.

    \b
    keyvault-jwt up
    keyvault-jwt up --port 0 --json

    JSON: {ready, url, jwks, dashboard, store, ring, issuer, active} when it listens; then on
    stderr a line for each event, {at, event, ring, alarm, facts}.
    """
    from ...scheduler import RotationScheduler
    from ...server import Observers, create_app, running
    from ...settings import Settings

    check_ring_name(ring)
    session.store_url = session.store_url or Settings().store or STORE
    observers = Observers(then=Chronicle(session.as_json))
    with ending() as asked, session.manager(prepare=True, listener=observers) as manager:
        marks = marks_of(manager.store, session.note, "publisher")
        app = create_app(manager, default_ring=ring, observers=observers, marks=marks)
        made = threading.Event()
        with running(_once(made, app), host, port) as url:
            try:
                keyring = _keyring(manager, ring, issuer, f"{url}/{ring}")
            finally:
                made.set()
            with RotationScheduler(manager, listener=observers):
                _show(session, keyring, url)
                asked.wait()


def _once(made: threading.Event, app: ASGIApp) -> ASGIApp:
    """Return the application that begins once the keyring is made.

    The usual issuer has the port in it, which is known when the socket is there; requests that
    come meanwhile wait in its queue.
    """

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await asyncio.to_thread(made.wait)
        await app(scope, receive, send)

    return waiting


def _keyring(manager: KeyManager, ring: str, issuer: str | None, usual: str) -> Keyring:
    """Return the keyring, made now if it is not there; raises `IssuerMismatch` if it is another issuer's."""
    try:
        keyring = manager.keyring(ring)
    except KeyringNotFound:
        try:
            return manager.create(ring, issuer=issuer or usual).keyring
        except KeyringExists:
            keyring = manager.keyring(ring)
    if issuer is not None and issuer != keyring.issuer:
        raise IssuerMismatch(
            f"keyring {ring} is of another issuer",
            why=f"its issuer is {keyring.issuer}, and tokens of it are in use",
            fix="leave --issuer out, or name another keyring with --ring",
        )
    return keyring


def _show(session: Session, keyring: Keyring, url: str) -> None:
    ring, active = keyring.ring, keyring.active
    jwks = f"{url}/.well-known/jwks.json"
    document = {
        "ready": True,
        "url": url,
        "jwks": jwks,
        "dashboard": f"{url}/",
        "store": session.url,
        "ring": ring,
        "issuer": keyring.issuer,
        "active": None if active is None else active.kid,
    }
    session.show(document, [])
    if session.as_json:
        return
    program = typed()
    known = os.environ.get("KEYVAULT_JWT_STORE") == session.url
    for line in (
        f"keyring {ring} of {keyring.issuer}"
        + ("; no key is signing" if active is None else f", signing with {active.kid} ({active.algorithm})"),
        f"  JWKS       {jwks}",
        f"  dashboard  {url}/",
        "try it in another terminal, and end this one with Ctrl-C:",
        *(() if known else (f"  export KEYVAULT_JWT_STORE={session.url}",)),
        f"  {program} token sign {ring} --sub me --aud api > token",
        f"  {program} token verify token --audience api --issuer {keyring.issuer} --jwks {jwks}",
        f"  {program} show {ring}",
    ):
        session.note(line)
