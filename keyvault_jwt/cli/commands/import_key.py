"""`import RING`: a private key made elsewhere becomes a standby, or founds a keyring."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import FileUnreadable, KeyRefused, UsageError
from ..outcome import show_outcome
from ..ring_command import RingCommand
from ..session import Session, interactive, pass_session

if TYPE_CHECKING:
    from ...key_factory import FreshKey

_LARGEST = 65_536
"""No private key in PEM or JWK has more bytes."""


@click.command("import", cls=RingCommand)
@click.argument("ring")
@click.option(
    "--file", "path", metavar="FILE", required=True, help="PEM or JWK of the private key; - for stdin."
)
@click.option(
    "--alg", "--algorithm", "algorithm", metavar="ALG", help="What it is for.  [default: the keyring's]"
)
@click.option("--kid", help="Its name.  [default: the JWK's, else its RFC 7638 thumbprint]")
@click.option("--issuer", help="Make a keyring of this issuer, in which the key signs at once.")
@click.option(
    "--password-env", metavar="NAME", help="The environment variable that holds the PEM's password."
)
@click.option("--password-file", metavar="FILE", help="The file that holds the PEM's password.")
@pass_session
def command(  # noqa: PLR0917  (click passes them by name)
    session: Session,
    ring: str,
    path: str,
    algorithm: str | None,
    kid: str | None,
    issuer: str | None,
    password_env: str | None,
    password_file: str | None,
) -> None:
    """Take in a private key made elsewhere.

    Into a keyring that is there it comes as a standby, which waits out its lead like any
    other.  With --issuer a new keyring is made around it, for an issuer that signs with it
    already.

    \b
    keyvault-jwt import payments --file old.pem --alg RS256 --kid 2023-key --issuer https://id.example

    JSON: the outcome as of `create`, and imported: KID.
    """
    data = _read(session, path)
    password = _password(password_env, password_file)
    with session.manager(prepare=issuer is not None) as manager:
        jwk = data.lstrip()[:1] == b"{"
        if algorithm is None and issuer is None and not jwk:
            algorithm = manager.keyring(ring).algorithm
        key = _from_jwk(data, algorithm, kid) if jwk else _from_pem(data, algorithm, kid, password)
        with session.during(f"importing into {ring}"):
            report = manager.import_key(ring, key, issuer=issuer)
    show_outcome(session, report, imported=key.kid)


def _from_pem(data: bytes, algorithm: str | None, kid: str | None, password: bytes | None) -> FreshKey:
    from ...key_import import import_pem

    if algorithm is None:
        raise UsageError("a PEM file does not say what its key is for", fix="name it with --alg")
    return import_pem(data, algorithm, kid=kid, password=password)


def _from_jwk(data: bytes, algorithm: str | None, kid: str | None) -> FreshKey:
    from ...key_import import import_jwk

    return import_jwk(data if kid is None else _named(data, kid), algorithm)


def _named(data: bytes, kid: str) -> bytes:
    """Return the JWK under a kid; raises `KeyRefused` if it has another one."""
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise KeyRefused("this is no JSON Web Key", fix="give one JSON object") from None
    if isinstance(members, dict) and members.setdefault("kid", kid) != kid:
        raise KeyRefused("the JWK has another kid", why="a kid names its key forever", fix="leave --kid out")
    return json.dumps(members).encode()


def _read(session: Session, path: str) -> bytes:
    if path == "-" and interactive():
        session.note("reading the key from the terminal; end with Ctrl-D")
    try:
        if path == "-":
            data = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(_LARGEST + 1)
    except OSError as failure:
        raise _unreadable(path, os.strerror(failure.errno or 0)) from None
    if len(data) > _LARGEST:
        raise KeyRefused(f"{path} is too large for a key", why=f"it has more than {_LARGEST} bytes")
    return data


def _password(name: str | None, path: str | None) -> bytes | None:
    """Return the password; one on the command line would be seen by every user of the machine."""
    if name is not None and path is not None:
        raise UsageError("two passwords are named", fix="give --password-env or --password-file")
    if name is not None:
        value = os.environ.get(name)
        if value is None:
            raise UsageError(f"the environment variable {name} is not set")
        return value.encode()
    if path is None:
        return None
    try:
        return Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as failure:
        raise _unreadable(path, os.strerror(failure.errno or 0)) from None


def _unreadable(path: str, why: str) -> FileUnreadable:
    return FileUnreadable(f"could not read {path}", why=why, fix="check the name and its mode")
