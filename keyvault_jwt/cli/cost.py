"""What `--accept-refusals` costs, told before it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..check import Check, Invariant
from .ages import dated
from .session import Session

if TYPE_CHECKING:
    from ..keyring import Keyring
    from ..plan import Plan


def leads(keyring: Keyring, plan: Plan) -> list[Check]:
    """Return the I1 checks of the standbys that could sign next, the first to be ready first."""
    wanted = {record.kid for record in keyring.standbys(keyring.algorithm) if record.can_sign}
    found = [check for check in plan.checks if check.invariant is Invariant.LEAD and check.kid in wanted]
    return sorted(found, key=lambda check: (check.earliest is None, check.earliest or 0))


def tell_cost(session: Session, keyring: Keyring, plan: Plan) -> None:
    """Say on stderr which tokens will be refused, and until when."""
    checks = leads(keyring, plan)
    if any(check.holds for check in checks):
        session.note("--accept-refusals costs nothing: a standby is ready, and it will be taken")
        return
    known = next((check for check in checks if check.earliest is not None), None)
    if known is None or known.earliest is None:
        session.note("--accept-refusals can't help: no standby was published yet; run `reconcile` first")
        return
    session.note(
        f"--accept-refusals costs: until {dated(plan.at, known.earliest)} a verifier that has not fetched"
        f" the JWK Set since {known.kid} was published refuses every new token"
    )
