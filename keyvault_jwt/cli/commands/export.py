"""`export RING`: a keyring's keys as JWKs, public ones unless a file is named for the private ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from ...errors import FileUnwritable, UsageError
from .. import terminal
from ..ring_command import RingCommand
from ..session import Session, pass_session


@click.command("export", cls=RingCommand)
@click.argument("ring")
@click.option("--private", is_flag=True, help="Private halves too; only into a new file of mode 0600.")
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="A file that must not exist yet."
)
@pass_session
def command(session: Session, ring: str, private: bool, out: Path | None) -> None:
    """Write a keyring's keys as JWKs.

    Each carries its state as the member keyvault_jwt_state.  Private halves are never written
    to stdout.

    \b
    keyvault-jwt export payments
    keyvault-jwt export payments --private --out payments.jwks

    JSON: {keys: [JWK]}; with --out {ring, file, private, kids}.
    """
    if private and (out is None or str(out) == "-"):
        raise UsageError(
            "private halves are not written to stdout",
            why="they would end in a scrollback, a log or a pipe",
            fix="name a new file with --out FILE",
        )
    with session.manager() as manager, session.during(f"reading {ring}"):
        keys = manager.export_keys(ring, private=private)
    text = json.dumps({"keys": keys}, indent=None if session.as_json else 2)
    if out is None:
        terminal.put(text)
        return
    _write(out, text, mode=0o600 if private else 0o644)
    kids = [key["kid"] for key in keys]
    document = {"ring": ring, "file": str(out), "private": private, "kids": kids}
    session.show(document, [f"wrote {len(keys)} keys to {out}"])


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write a file that must not be there yet, durably."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, mode), "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        raise FileUnwritable(
            f"could not write {path}",
            why=os.strerror(failure.errno or 0),
            fix="name a new file in a directory that you may write to",
        ) from None
