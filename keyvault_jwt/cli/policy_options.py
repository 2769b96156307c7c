"""Every parameter of a rotation policy as an option, made from `RotationPolicy` itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

import click

from ..duration import format_duration, parse_duration
from ..policy import RotationPolicy

_HELP: Final[Mapping[str, str]] = {
    "algorithm": "What keys are made for, such as ES256, Ed25519 or PS256.",
    "rotate_every": "How long a key signs.",
    "token_ttl": "The longest life that a token may be given.",
    "leeway": "How much too late a verifier still takes a token.",
    "clock_skew": "The largest difference between two clocks.",
    "signer_poll": "How often a signer reads its document.",
    "publisher_poll": "How often a publisher reads its document.",
    "signer_lease": "How long a signer may sign without a confirmed read.",
    "publisher_lease": "How long a publisher may answer without a confirmed read.",
    "jwks_max_age": "How long a verifier may keep the JWKS, in whole seconds.",
    "max_stale": "How much longer while it can't be fetched, in whole seconds.",
    "rollback_window": "How long a key that stopped signing may be put back.",
    "standbys": "How many published keys wait to sign.",
}
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def policy_options(*, without: frozenset[str] = frozenset()) -> Callable[[_Decorated], _Decorated]:
    """Return a decorator that adds an option for each parameter but those named; none has a default."""

    def decorate(function: _Decorated) -> _Decorated:
        for option in reversed(list(_options(without))):
            function = option(function)
        return function

    return decorate


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy parameters among a command's options that were given."""
    return {name: options[name] for name in RotationPolicy.model_fields if options.get(name) is not None}


def _options(without: frozenset[str]) -> Iterator[Callable[[_Decorated], _Decorated]]:
    for name, field in RotationPolicy.model_fields.items():
        if name in without:
            continue
        names = ["--alg", "--algorithm"] if name == "algorithm" else [f"--{name.replace('_', '-')}"]
        length = isinstance(field.default, timedelta)
        shown = format_duration(field.default) if length else field.default
        kind: Any = parse_duration if length else int if isinstance(field.default, int) else str
        yield click.option(
            *names,
            name,
            type=kind,
            metavar="DURATION" if length else None,
            help=f"{_HELP[name]}  [default: {shown}]",
        )
