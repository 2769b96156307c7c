"""`jwks RING`: what verifiers are shown."""

from __future__ import annotations

import click

from .. import terminal
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("jwks", cls=RingCommand)
@click.argument("ring")
@pass_session
def command(session: Session, ring: str) -> None:
    """Print the JWK Set that verifiers are shown.

    JSON, with or without --json: the set itself, {keys, keyvault_jwt: {ring, epoch, revision}}.
    """
    with session.manager() as manager, session.during(f"reading {ring}"):
        document = manager.jwks(ring)
    terminal.put(document.decode())
