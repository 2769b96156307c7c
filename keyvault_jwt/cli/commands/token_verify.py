"""`token verify`: the claims of a good token, or why it is refused."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from ...algorithms import ALGORITHMS
from ...duration import parse_duration
from .. import terminal
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..token_input import read_token


@click.command("verify", cls=RingCommand)
@click.argument("file", default="-")
@click.option("--jwks", "url", metavar="URL", required=True, help="Where the keys are published.")
@click.option("--issuer", metavar="I", required=True, help="The issuer it must be of, exactly.")
@click.option(
    "--audience",
    metavar="A",
    multiple=True,
    required=True,
    help="Whom it must be for; repeat for any of several.",
)
@click.option(
    "--alg", "algorithms", metavar="ALG", multiple=True, help="An algorithm to accept; repeat for several."
)
@click.option(
    "--leeway",
    type=parse_duration,
    default="30s",
    metavar="DURATION",
    show_default=True,
    help="How much too late is still accepted.",
)
@click.option("--allow-plain-http", is_flag=True, help="Fetch keys without TLS from other machines too.")
@pass_session
def command(  # noqa: PLR0917  (click passes them by name)
    session: Session,
    file: str,
    url: str,
    issuer: str,
    audience: tuple[str, ...],
    algorithms: tuple[str, ...],
    leeway: timedelta,
    allow_plain_http: bool,
) -> None:
    """Verify a token by a JWKS, and print its claims.

    The token is read from FILE, by default from stdin.  Without --alg every public-key
    algorithm is accepted, since each published key serves one only; HMAC never is.  A service
    of your own should name its algorithms.  A refused token has exit status 1.

    \b
    keyvault-jwt token verify token --audience api --issuer https://id.example \\
        --jwks https://id.example/.well-known/jwks.json

    JSON, with or without --json: the claims.
    """
    from ...cache import JWKSCache
    from ...verifier import Verifier

    token = read_token(session, file)
    allowed = algorithms or [name for name, row in ALGORITHMS.items() if not row.symmetric]
    with (
        session.during("verifying"),
        JWKSCache(url, listener=_unheard, allow_plain_http=allow_plain_http) as cache,
    ):
        verifier = Verifier(cache, issuer=issuer, audience=audience, algorithms=allowed, leeway=leeway)
        cache.refresh()
        claims = verifier.verify(token)
    terminal.put(json.dumps(claims, indent=None if session.as_json else 2))


def _unheard(_event: object) -> None:
    """Take an event of the cache: what went wrong is raised."""
