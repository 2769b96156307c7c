"""`create RING`: a keyring that signs at once."""

from __future__ import annotations

from typing import Any

import click

from ...policy import RotationPolicy
from ..outcome import show_outcome
from ..policy_options import given, policy_options
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("create", cls=RingCommand)
@click.argument("ring")
@click.option("--issuer", required=True, help="The issuer of its tokens (`iss`), usually a URL.")
@policy_options()
@pass_session
def command(session: Session, /, ring: str, issuer: str, **options: Any) -> None:
    """Make a keyring that signs at once.

    For a new embedded store the master key is made too, and stderr says where.

    \b
    keyvault-jwt create payments --issuer https://id.example
    keyvault-jwt create payments --issuer https://id.example --alg Ed25519 --rotate-every 90d

    JSON: the outcome {ring, epoch, revision, changed, active, entries, alarms, next_due, rotation_due}.
    """
    policy = RotationPolicy(**given(options))
    with session.manager(prepare=True) as manager, session.during(f"making {ring}"):
        report = manager.create(ring, policy, issuer=issuer)
    show_outcome(session, report)
