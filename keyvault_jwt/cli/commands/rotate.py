"""`rotate RING`: another key signs, now."""

from __future__ import annotations

import click

from ..cost import tell_cost
from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..snapshot import snapshot


@click.command("rotate", cls=RingCommand)
@click.argument("ring")
@click.option("--emergency", is_flag=True, help="Take any ready standby, though none is left behind (I5).")
@click.option("--accept-refusals", is_flag=True, help="Take a standby that verifiers may not know yet (I1).")
@click.option("--replacing", metavar="KID", help="Do nothing unless this key is the one that signs.")
@pass_session
def command(
    session: Session, ring: str, emergency: bool, accept_refusals: bool, replacing: str | None
) -> None:
    """Replace the signing key now.

    Tokens of the replaced key stay valid until they expire; to withdraw a key, use `revoke`.

    \b
    keyvault-jwt rotate payments
    keyvault-jwt rotate payments --emergency

    JSON: the outcome as of `create`.
    """
    with session.manager() as manager, session.during(f"rotating {ring}"):
        keyring, plan, _ = snapshot(manager, ring)
        if replacing is None:
            replacing = "" if keyring.active is None else keyring.active.kid
        else:
            replacing = keyring.resolve(replacing).kid
        if accept_refusals:
            tell_cost(session, keyring, plan)
        report = manager.rotate(
            ring, replacing=replacing, emergency=emergency, accept_refusals=accept_refusals
        )
    show_outcome(session, report)
