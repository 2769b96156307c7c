"""RotationPolicy: the time parameters of a keyring, and the lengths that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from .algorithms import algorithm_named
from .clock import Milliseconds
from .duration import LONGEST, format_duration, milliseconds, parse_duration
from .errors import KeyvaultJWTError, PolicyRefused


def _to_timedelta(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _storable(value: timedelta) -> timedelta:
    """Return the duration in whole milliseconds, as the core counts and documents keep it."""
    if value > LONGEST:
        raise ValueError(f"{format_duration(value)} is longer than {format_duration(LONGEST)}")
    return timedelta(milliseconds=milliseconds(value))


AnyDuration = Annotated[
    timedelta,
    BeforeValidator(_to_timedelta),
    AfterValidator(_storable),
    PlainSerializer(format_duration, return_type=str),
    Field(ge=timedelta()),
]
"""A timedelta of zero or more, which may be given and is stored as text like `90d`."""

Duration = Annotated[AnyDuration, Field(gt=timedelta())]
"""A timedelta above zero."""

MAX_STANDBYS: Final = 16


@dataclass(frozen=True, slots=True)
class Timing:
    """A policy's numbers in milliseconds, with the store's staleness S."""

    rotate_every: Milliseconds
    token_ttl: Milliseconds
    leeway: Milliseconds
    clock_skew: Milliseconds
    signer_lease: Milliseconds
    publisher_lease: Milliseconds
    jwks_max_age: Milliseconds
    max_stale: Milliseconds
    rollback_window: Milliseconds
    staleness: Milliseconds = 0

    @property
    def exposure(self) -> Milliseconds:
        """D + S + C + G + ε: how long a verifier may hold a set that lacks a change (I1, I4)."""
        return self.publisher_lease + self.staleness + self.jwks_max_age + self.max_stale + self.clock_skew

    @property
    def handover(self) -> Milliseconds:
        """P + S + 2ε: how long a signer may go on with a key after it left the signing document."""
        return self.signer_lease + self.staleness + 2 * self.clock_skew

    def retirement(self, *, token_ttl_max: Milliseconds, lease_max: Milliseconds) -> Milliseconds:
        """max(P + S + L_max + W + 2ε, rollback_window + ε): from stopped until dropped (I2)."""
        last_token = lease_max + self.staleness + token_ttl_max + self.leeway + 2 * self.clock_skew
        return max(last_token, self.rollback_window + self.clock_skew)


class RotationPolicy(BaseModel):
    """How one keyring lives; every duration is a timedelta or text like `"90d"`.

    Raises `PolicyRefused`, with the numbers, when the parameters contradict each other, and
    `BadDuration` for text that is no duration.  The inequality that involves the store (I6) is
    checked when the policy meets a keyring.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    algorithm: str = "ES256"
    rotate_every: Duration = timedelta(days=30)
    token_ttl: Duration = timedelta(minutes=15)
    leeway: AnyDuration = timedelta(seconds=30)
    clock_skew: AnyDuration = timedelta(seconds=30)
    signer_poll: Duration = timedelta(seconds=30)
    publisher_poll: Duration = timedelta(seconds=30)
    signer_lease: Duration = timedelta(hours=1)
    publisher_lease: Duration = timedelta(hours=1)
    jwks_max_age: Duration = timedelta(minutes=5)
    max_stale: AnyDuration = timedelta(hours=1)
    rollback_window: AnyDuration = timedelta(hours=1)
    standbys: Annotated[int, Field(ge=2, le=MAX_STANDBYS)] = 2

    _timing: Timing = PrivateAttr()

    def __init__(self, **parameters: Any) -> None:
        try:
            super().__init__(**parameters)
        except ValidationError as broken:
            raise _refusal(broken) from None

    @field_validator("algorithm")
    @classmethod
    def _known_algorithm(cls, name: str) -> str:
        try:
            return algorithm_named(name).name
        except KeyvaultJWTError as unknown:
            raise ValueError(unknown.what) from None

    @model_validator(mode="after")
    def _inequalities(self) -> Self:
        for name in ("jwks_max_age", "max_stale"):
            if getattr(self, name) % timedelta(seconds=1):
                raise ValueError(f"{name} travels as a header in whole seconds")
        for low, high, factor in (
            ("clock_skew", "leeway", 1),
            ("signer_poll", "signer_lease", 2),
            ("publisher_poll", "publisher_lease", 2),
        ):
            left, right = getattr(self, low) * factor, getattr(self, high)
            if left > right:
                times = f"{factor} * " if factor > 1 else ""
                raise ValueError(
                    f"{times}{low} ≤ {high} is broken: {format_duration(left)} > {format_duration(right)}"
                )
        return self

    def model_post_init(self, _context: Any, /) -> None:
        """Work the milliseconds out once: the core asks for them at every step."""
        names = (name for name in Timing.__dataclass_fields__ if name != "staleness")
        self._timing = Timing(**{name: milliseconds(getattr(self, name)) for name in names})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002
        """Return the policy with some parameters changed; raises `PolicyRefused` as making it does.

        Pydantic's own would judge nothing, and keep the milliseconds of the old parameters.
        """
        return type(self)(**{**dict(self), **(update or {})})

    def timing(self, staleness: Milliseconds) -> Timing:
        """Return the numbers in milliseconds, for a store whose reads are `staleness` old at most."""
        return replace(self._timing, staleness=staleness) if staleness else self._timing


def _refusal(broken: ValidationError) -> PolicyRefused:
    reasons = [
        ".".join(str(part) for part in error["loc"])
        + (": " if error["loc"] else "")
        + error["msg"].removeprefix("Value error, ")
        for error in broken.errors(include_url=False, include_context=False, include_input=False)
    ]
    return PolicyRefused(
        "the policy is refused",
        why="; ".join(reasons),
        fix="change the parameter; docs/concepts.md explains each inequality",
    )
