"""`serve`: the JWK Sets of a store, over HTTP."""

from __future__ import annotations

import click

from ...store import check_ring_name
from ..chronicle import Chronicle
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..signals import ending
from ..state import marks_of


@click.command("serve", cls=RingCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8700,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Its port; 0 takes a free one.",
)
@click.option(
    "--ring",
    "rings",
    metavar="RING",
    multiple=True,
    help="A keyring to publish; repeat for several.  [default: all]",
)
@click.option(
    "--default-ring",
    metavar="RING",
    default="default",
    show_default=True,
    help="The one at /.well-known/jwks.json.",
)
@click.option("--public-only", is_flag=True, help="Leave out the dashboard, /metrics and /verifiers.")
@pass_session
def command(  # noqa: PLR0917  (click passes them by name)
    session: Session, host: str, port: int, rings: tuple[str, ...], default_ring: str, public_only: bool
) -> None:
    """Publish the JWK Sets of a store over HTTP.

    Only public documents are read, so no master key is needed.  Past the publisher lease
    without a confirmed read the answer is 503.  Any number may run side by side, behind
    whatever ends TLS.

    \b
    keyvault-jwt serve --host 0.0.0.0 --public-only

    JSON: {ready, url, jwks, store} when it listens; then on stderr a line for each alarm.
    """
    from ...server import Observers, create_app, running

    names = [check_ring_name(ring) for ring in rings] or None
    with ending() as asked, session.store() as store:
        app = create_app(
            store,
            rings=names,
            default_ring=check_ring_name(default_ring),
            observers=Observers(then=Chronicle(session.as_json)),
            marks=marks_of(store, session.note, "publisher"),
            operator_pages=not public_only,
        )

        with running(app, host, port) as url:
            jwks = f"{url}/.well-known/jwks.json"
            session.show({"ready": True, "url": url, "jwks": jwks, "store": session.url}, [])
            if not session.as_json:
                session.note(f"publishing {session.url} at {url}/RING/.well-known/jwks.json; end with Ctrl-C")
            asked.wait()
