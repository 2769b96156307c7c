"""`migrate RING --to ALG`: another algorithm, in two steps."""

from __future__ import annotations

import click

from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("migrate", cls=RingCommand)
@click.argument("ring")
@click.option("--to", "algorithm", metavar="ALG", required=True, help="The algorithm to sign with.")
@click.option("--confirm", is_flag=True, help="Say that every verifier's allow-list holds ALG.")
@pass_session
def command(session: Session, ring: str, algorithm: str, confirm: bool) -> None:
    """Move a keyring to another algorithm.

    Keys of both are published at once.  The new ones sign only when they were published for
    the lead and you said with --confirm that every verifier accepts ALG.  Back to the present
    algorithm ends a migration that has not been carried out.

    \b
    keyvault-jwt migrate payments --to Ed25519
    keyvault-jwt migrate payments --to Ed25519 --confirm

    JSON: the outcome as of `create`, and migration: {to, confirmed} or null.
    """
    with session.manager() as manager, session.during(f"migrating {ring}"):
        report = manager.migrate(ring, to=algorithm, confirm=confirm)
    migration = report.keyring.migration
    document = None if migration is None else {"to": migration.to, "confirmed": migration.confirmed}
    show_outcome(session, report, migration=document)
    if migration is not None and not migration.confirmed:
        session.note(
            f"once every verifier's allow-list holds {migration.to}:"
            f" keyvault-jwt migrate {ring} --to {migration.to} --confirm"
        )
