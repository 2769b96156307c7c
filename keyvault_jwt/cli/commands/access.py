"""`access ROLE`: what a role must be granted, no more and no less."""

from __future__ import annotations

import click

from ...store import check_ring_name
from ..access import EVERY_RING, ROLES, access_of
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("access", cls=RingCommand)
@click.argument("role", type=click.Choice(ROLES))
@click.option("--ring", default=EVERY_RING, show_default=True, help="The keyring, or * for every one.")
@pass_session
def command(session: Session, role: str, ring: str) -> None:
    """Print exactly what a role needs to be granted.

    For vault:// a policy, for awssm:// a policy document, for file: commands.  What else it
    needs, such as its environment, is said on stderr.

    \b
    keyvault-jwt access signer --ring payments --store file:/var/lib/keys

    JSON: {role, store, ring, policy, notes}; policy is the text that is printed without --json.
    """
    if ring != EVERY_RING:
        check_ring_name(ring)
    url = session.url
    policy, notes = access_of(role, url, ring)
    if not session.as_json:
        for note in notes:
            session.note(note)
    document = {"role": role, "store": url, "ring": ring, "policy": policy, "notes": list(notes)}
    session.show(document, policy.splitlines())
