"""Where a document is below the mount, and which document a path is."""

from __future__ import annotations

import re
from typing import Final

from keyvault_jwt.errors import BadRingName
from keyvault_jwt.store import DocumentKind, DocumentName, check_ring_name

from .address import ARCHIVES, Address

_LEAF: Final = re.compile(r"([a-z]+)(?:-(0|[1-9][0-9]{0,18}))?", re.ASCII)


def document_path(address: Address, name: DocumentName) -> str:
    """Return the path below the mount's `data/` and `metadata/`; raises `BadRingName`."""
    require_grantable(name.ring)
    return address.path(*str(name).split("/"))


def require_grantable(ring: str) -> None:
    """Raise `BadRingName` for a keyring whose documents the policies of others would cover.

    They grant `archive-*` below each keyring, and a policy's `*` reaches over slashes: below the
    prefix `team` of the same mount that would be every document of a keyring of such a name.
    """
    if ring.startswith(ARCHIVES):
        raise BadRingName(
            f"{ring[:80]!r} can't name a keyring in Vault",
            why=f"policies that grant what is archived would grant all that begins with {ARCHIVES!r}",
            fix="choose a name that begins otherwise",
        )


def ring_of(entry: str) -> str | None:
    """Return the keyring that an entry of the prefix's listing is; None for what can't be one.

    A mount is shared: another's folder may have a name that no request of ours could be made for.
    """
    if not entry.endswith("/"):
        return None
    ring = entry[:-1]
    try:
        require_grantable(check_ring_name(ring))
    except BadRingName:
        return None
    return ring


def named(ring: str, leaf: str) -> DocumentName | None:
    """Return the document that is kept as `leaf` in the keyring's path; None if that is none of ours."""
    found = _LEAF.fullmatch(leaf)
    if found is None:
        return None
    kind, number = found.groups()
    try:
        name = DocumentName(ring, DocumentKind(kind), int(number or 0))
    except (ValueError, BadRingName):
        return None
    return name if str(name) == f"{ring}/{leaf}" else None
