"""The roles of the embedded store, as users, groups and modes of its files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from ..errors import KeyvaultJWTError
from ..store import DocumentKind
from ..stores.file import open_url
from ..stores.filesystem import SystemFilesystem
from ..stores.key_finder import KeyFinder

MODES: Final = {
    DocumentKind.AUTHORITY: 0o600,
    DocumentKind.ARCHIVE: 0o600,
    DocumentKind.SIGNING: 0o640,
    DocumentKind.VERIFICATION: 0o640,
    DocumentKind.PUBLIC: 0o644,
}
"""The mode of each document's file: its owner rotates, its group signs, everyone reads what is public."""

_STATE: Final = "/var/lib/keyvault-jwt"
_KEYS: Final = "/etc/keyvault-jwt"


def access(role: str, url: str, ring: str) -> tuple[str, tuple[str, ...]]:
    """Return the commands that give a user the role, for a shell of root, and the user's environment."""
    store = open_url(url).path
    user = f"keyvault-{role}"
    lines, needs_key = _LINES[role](store, ring, user)
    state = f"{_STATE}/{role}"
    lines = [f"# {role}: {_TELLS[role]}", _user(user), *lines]
    environment = {"KEYVAULT_JWT_STORE": f"file:{store}", "KEYVAULT_JWT_STATE": state}
    lines.append(f"install -d -o {user} -g {user} -m 0700 {state}")
    if needs_key:
        own = f"{_KEYS}/{role}.key"
        lines.append(f"install -d -m 0755 {_KEYS}")
        lines.append(f"install -o {user} -g {user} -m 0600 {shlex.quote(master_key_file(store))} {own}")
        environment["KEYVAULT_JWT_MASTER_KEY_FILE"] = own
    notes = (
        "run the commands as root; the user's name is an example",
        *(f"its environment: {name}={value}" for name, value in environment.items()),
        *(() if needs_key else ("it needs no master key, and must not be given one",)),
    )
    return "\n".join(lines), notes


def master_key_file(store: Path) -> str:
    """Return where the store's master key is, as far as this user can tell."""
    try:
        origin = KeyFinder(store, SystemFilesystem()).find().origin
    except KeyvaultJWTError:
        return "MASTER_KEY_FILE"
    return origin if origin.startswith("/") else "MASTER_KEY_FILE"


_TELLS: Final = {
    "rotator": "owns the directory; reads and writes every document",
    "signer": "reads signing.sealed by its group",
    "publisher": "reads public.json, which everyone may",
    "verifier": "reads public.json or the JWKS; verification.sealed of symmetric keyrings by its group",
    "auditor": "reads public.json; archives and authority are the rotator's alone",
}


def _user(name: str) -> str:
    return f"id -u {name} >/dev/null 2>&1 || useradd --system --user-group --no-create-home {name}"


def _rotator(store: Path, ring: str, user: str) -> tuple[list[str], bool]:
    place = shlex.quote(str(store))
    if ring == "*":
        return [f"install -d -o {user} -g {user} -m 0755 {place}", f"chown -R {user} {place}"], True
    return [f"chmod o+rx {place}", f"chown -R {user} {_in(store, ring)}"], True


def _signer(store: Path, ring: str, user: str) -> tuple[list[str], bool]:
    return _group_reads(store, ring, user, DocumentKind.SIGNING), True


def _verifier(store: Path, ring: str, user: str) -> tuple[list[str], bool]:
    lines = _everyone_reads(store, ring)
    lines.append("# for a symmetric keyring also, and only then:")
    lines += [f"# {line}" for line in _group_reads(store, ring, user, DocumentKind.VERIFICATION)]
    return lines, False


def _reader(store: Path, ring: str, _user: str) -> tuple[list[str], bool]:
    return _everyone_reads(store, ring), False


def _group_reads(store: Path, ring: str, user: str, kind: DocumentKind) -> list[str]:
    """Return the commands by which new files of a keyring go to the group of signers, and old ones too."""
    group = "keyvault-signers"
    directory = _in(store, ring)
    return [
        f"groupadd --force --system {group}",
        f"usermod --append --groups {group} {user}",
        f"chmod o+x {shlex.quote(str(store))}",
        f"chgrp {group} {directory} && chmod g+rxs {directory}",
        f"chgrp {group} {directory}/{kind}.sealed && chmod {MODES[kind]:04o} {directory}/{kind}.sealed",
    ]


def _everyone_reads(store: Path, ring: str) -> list[str]:
    directory = _in(store, ring)
    return [
        f"chmod o+rx {shlex.quote(str(store))} {directory}",
        f"chmod {MODES[DocumentKind.PUBLIC]:04o} {directory}/{DocumentKind.PUBLIC}.json",
    ]


def _in(store: Path, ring: str) -> str:
    """Return a keyring's directory for a shell; `*` stays a pattern."""
    return f"{shlex.quote(str(store))}/{ring}"


_LINES: Final = {
    "rotator": _rotator,
    "signer": _signer,
    "publisher": _reader,
    "verifier": _verifier,
    "auditor": _reader,
}
