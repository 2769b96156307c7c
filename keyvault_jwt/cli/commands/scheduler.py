"""`scheduler [RING]…`: rotates keyrings for as long as it runs."""

from __future__ import annotations

import click

from ...store import check_ring_name
from ..chronicle import Chronicle
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..signals import ending


@click.command("scheduler", cls=RingCommand)
@click.argument("rings", metavar="[RING]...", nargs=-1)
@pass_session
def command(session: Session, rings: tuple[str, ...]) -> None:
    """Rotate keyrings when they are due.

    Without RING every keyring of the store, also those made later.  Any number may run side
    by side.  What happens is told on stderr.  SIGTERM and SIGINT end it once the passes under
    way are over.

    JSON: {ready, store, keyrings} when it runs; then on stderr a line for each event, {at, event,
    ring, alarm, facts}.
    """
    from ...scheduler import RotationScheduler

    names = [check_ring_name(ring) for ring in rings]
    chronicle = Chronicle(session.as_json)
    with (
        ending() as asked,
        session.manager(listener=chronicle) as manager,
        RotationScheduler(manager, names or "*", listener=chronicle),
    ):
        document = {"ready": True, "store": session.url, "keyrings": names or "*"}
        session.show(document, [])
        if not session.as_json:
            session.note(f"rotating {', '.join(names) or 'every keyring'} of {session.url}; end with Ctrl-C")
        asked.wait()
