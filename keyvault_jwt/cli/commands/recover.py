"""`recover RING`: a new epoch over a store that was restored or forked."""

from __future__ import annotations

import click

from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("recover", cls=RingCommand)
@click.argument("ring")
@pass_session
def command(session: Session, ring: str) -> None:
    """Start anew over a store that was restored or forked.

    A new epoch begins above every revision that was ever seen.  Each key takes the most
    retired state that any document or mark shows, so that nothing revoked comes back.

    JSON: the outcome as of `create`.
    """
    with session.manager() as manager, session.during(f"recovering {ring}"):
        report = manager.recover(ring)
    show_outcome(session, report)
