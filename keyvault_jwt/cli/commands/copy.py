"""`copy RING --to URL`: a keyring moves to another store, with every kid, date and entry."""

from __future__ import annotations

import click

from ...errors import UsageError
from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("copy", cls=RingCommand)
@click.argument("ring")
@click.option("--to", "target", metavar="URL", required=True, help="The store it moves to.")
@pass_session
def command(session: Session, ring: str, target: str) -> None:
    """Move a keyring to another store.

    Every kid, date and entry goes along.  The source is frozen first, so that it takes no
    more changes; point signers, publishers and the scheduler to the new store then.  Repeat
    it if it was interrupted.

    \b
    keyvault-jwt copy payments --to vault://secret/jwt

    JSON: the outcome as of `create` in the new store, and copied: {from, to}.
    """
    source = session.url
    if target in {source, "memory:"}:
        raise UsageError(
            "a keyring can't move to where it is, nor to memory:",
            why="it would be frozen there, and live nowhere",
            fix="name another store that lasts",
        )
    with (
        session.manager() as manager,
        session.manager(target, prepare=True) as other,
        session.during(f"copying {ring}"),
    ):
        report = manager.copy_to(other, ring, source=source, target=target)
    show_outcome(session, report, copied={"from": source, "to": target})
    session.note(f"{ring} is frozen in {source}; point signers, publishers and the scheduler to {target}")
