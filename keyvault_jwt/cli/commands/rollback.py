"""`rollback RING`: the previous key signs again."""

from __future__ import annotations

import click

from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("rollback", cls=RingCommand)
@click.argument("ring")
@pass_session
def command(session: Session, ring: str) -> None:
    """Put the previous signing key back.

    Possible inside the policy's rollback window; the key it replaces never signs again, and
    its tokens stay valid until they expire.

    JSON: the outcome as of `create`.
    """
    with session.manager() as manager, session.during(f"rolling {ring} back"):
        report = manager.rollback(ring)
    show_outcome(session, report)
