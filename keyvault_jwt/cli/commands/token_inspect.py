"""`token inspect`: what a token says of itself, believed by nobody."""

from __future__ import annotations

import json

import click

from ... import compact
from ...claims import parse_claims
from ...verification_errors import MalformedToken
from .. import terminal
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..token_input import read_token


@click.command("inspect", cls=RingCommand)
@click.argument("file", default="-")
@pass_session
def command(session: Session, file: str) -> None:
    """Print what a token says, without verifying it.

    Anyone may have written it; use `token verify` before you believe it.  The signature is
    not printed.

    JSON, with or without --json: {header, claims}; claims is null where the payload is no JSON object.
    """
    parts = compact.split(read_token(session, file))
    header, payload = compact.header_members(parts.header), compact.payload_bytes(parts.payload)
    try:
        claims = parse_claims(payload)
    except MalformedToken:
        claims = None
        session.note(f"the payload is {len(payload)} bytes that are no claims set")
    session.note("NOT VERIFIED: anyone may have written this")
    document = {"header": header, "claims": claims}
    terminal.put(json.dumps(document, indent=None if session.as_json else 2))
