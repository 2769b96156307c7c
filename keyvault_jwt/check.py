"""Check: one inequality with both sides, its slack and earliest safe time; the error of each invariant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import ClassVar

from .clock import Instant, iso
from .duration import format_duration
from .errors import InvariantBroken, PolicyRefused


class Unit(Enum):
    """What the two sides of a check count."""

    INSTANT = "instant"
    DURATION = "duration"
    COUNT = "count"


class LeadBroken(InvariantBroken):
    """I1: a key would sign before every verifier can know it."""

    code = "i1_lead"


class RetirementBroken(InvariantBroken):
    """I2: a key would be dropped while a token or a rollback may need it."""

    code = "i2_retire"


class LeaseBroken(InvariantBroken):
    """I3: a signer would sign without a confirmed read inside its lease."""

    code = "i3_lease"


class RevocationBroken(InvariantBroken):
    """I4: a revoked key would be forgotten before the last verifier let go of it."""

    code = "i4_revocation"


class StandbyBroken(InvariantBroken):
    """I5: a scheduled promotion would leave no ready key behind."""

    code = "i5_standby"


class CapacityBroken(PolicyRefused, InvariantBroken):
    """I6: the policy asks for more than its period, the store or the verifiers can hold."""

    code = "i6_capacity"


class CatchUpBroken(InvariantBroken):
    """I7: a key would make two gated transitions at once."""

    code = "i7_catch_up"


class PolicyChangeBroken(InvariantBroken):
    """I8: a policy change would make something safe earlier than the old policy said."""

    code = "i8_policy_change"


class IdentityBroken(InvariantBroken):
    """I9: a kid would name other key bytes, or come back."""

    code = "i9_identity"


class OrderBroken(InvariantBroken):
    """I10: a step would be taken before the one it rests on was observed."""

    code = "i10_order"


class Invariant(StrEnum):
    """The ten, by number."""

    LEAD = "I1"
    RETIRE = "I2"
    LEASE = "I3"
    REVOCATION = "I4"
    STANDBY = "I5"
    CAPACITY = "I6"
    CATCH_UP = "I7"
    POLICY_CHANGE = "I8"
    IDENTITY = "I9"
    ORDER = "I10"


_ERRORS: dict[Invariant, type[InvariantBroken]] = {
    Invariant.LEAD: LeadBroken,
    Invariant.RETIRE: RetirementBroken,
    Invariant.LEASE: LeaseBroken,
    Invariant.REVOCATION: RevocationBroken,
    Invariant.STANDBY: StandbyBroken,
    Invariant.CAPACITY: CapacityBroken,
    Invariant.CATCH_UP: CatchUpBroken,
    Invariant.POLICY_CHANGE: PolicyChangeBroken,
    Invariant.IDENTITY: IdentityBroken,
    Invariant.ORDER: OrderBroken,
}

_REMEDIES: dict[Invariant, str] = {
    # Policies are refused before their keyring is there, so that no plan could tell.
    Invariant.CAPACITY: "raise rotate_every, or lower the leases, jwks_max_age, max_stale or standbys",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One inequality, `left ≥ right`, about one key (`kid`) or the whole keyring."""

    invariant: Invariant
    name: str
    left: int
    right: int | None
    unit: Unit
    kid: str = ""
    earliest: Instant | None = None
    formula: str = ""

    ABSENT: ClassVar[str] = "not observed yet"

    @property
    def slack(self) -> int | None:
        """Left minus right; None while the right side is not known."""
        return None if self.right is None else self.left - self.right

    @property
    def holds(self) -> bool:
        """Whether left ≥ right."""
        return self.right is not None and self.left >= self.right

    def show(self, side: int | None) -> str:
        """Return one side as people read it."""
        if side is None:
            return self.ABSENT
        if self.unit is Unit.INSTANT:
            return iso(side)
        return format_duration(side) if self.unit is Unit.DURATION else str(side)

    def require(self) -> None:
        """Raise the invariant's own error unless the check holds."""
        if self.holds:
            return
        later = f"wait until {iso(self.earliest)}" if self.earliest is not None else ""
        raise _ERRORS[self.invariant](
            f"{self.invariant} {self.name} would be broken" + (f" for {self.kid}" if self.kid else ""),
            why=f"{self.formula}: {self.show(self.left)} < {self.show(self.right)}",
            fix=later or _REMEDIES.get(self.invariant, "see `plan` for what is missing"),
        )
