"""`token sign RING`: a token on stdout, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, NoReturn

import click

from ...duration import parse_duration
from ...errors import UsageError
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..state import marks_of

_OURS = frozenset({"iss", "iat"})


@click.command("sign", cls=RingCommand)
@click.argument("ring")
@click.option("--sub", "subject", metavar="S", help="Whom the token is about (`sub`).")
@click.option(
    "--aud", "audience", metavar="A", multiple=True, help="Whom it is for (`aud`); repeat for several."
)
@click.option(
    "--ttl", type=parse_duration, metavar="DURATION", help="How long it lives.  [default: the policy's]"
)
@click.option(
    "--claim", "claims", metavar="K=V", multiple=True, help="A further claim; V is JSON, else text."
)
@pass_session
def command(  # noqa: PLR0917  (click passes them by name)
    session: Session,
    ring: str,
    subject: str | None,
    audience: tuple[str, ...],
    ttl: timedelta | None,
    claims: tuple[str, ...],
) -> None:
    """Print a token under a keyring's active key.

    The token stands alone on stdout.  iss is the keyring's issuer, and iat now; both can't be
    set.  A claim's value is JSON if it reads as JSON, else text: --claim level=3 is a number,
    --claim 'level="3"' is text.

    \b
    keyvault-jwt token sign payments --sub u1 --aud api --ttl 5m --claim admin=true

    JSON: {token}.
    """
    from ...signer import Signer

    wanted = _claims(subject, audience, claims)
    with (
        session.store() as store,
        session.during("signing"),
        Signer(store, ring, marks=marks_of(store, session.note, "signer"), background=False) as signer,
    ):
        token = signer.sign(wanted, ttl=ttl)
    session.show({"token": token}, [token])


def _claims(subject: str | None, audience: tuple[str, ...], further: tuple[str, ...]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if subject is not None:
        claims["sub"] = subject
    if audience:
        claims["aud"] = audience[0] if len(audience) == 1 else list(audience)
    for word in further:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError("a claim is written name=value", fix="for example --claim admin=true")
        if name in _OURS:
            raise UsageError(
                f"the claim {name} can't be set", why="it is the signer's own", fix="leave it out"
            )
        if name in claims:
            raise UsageError(
                f"the claim {name} is given twice", fix="give it once; a list is JSON: 'k=[1,2]'"
            )
        claims[name] = _value(value)
    return claims


def _value(text: str) -> Any:
    """Return the JSON value that the text writes, else the text."""
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259 section 6)")
