"""Tags that say whose key a key in KMS is, for this package and for policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from keyvault_jwt.errors import BadRingName
from keyvault_jwt.store import DocumentKind, DocumentName

from ..address import Address

KEYRING: Final = "keyvault-jwt-keyring"
"""Holds PREFIX/RING."""
ALGORITHM: Final = "keyvault-jwt-algorithm"
"""Holds the `alg` that the key was made for."""


def keyring_tag(address: Address, ring: str) -> str:
    """Return the value of `KEYRING` for a keyring in this place."""
    return f"{address.prefix}/{ring}" if address.prefix else ring


def is_of_place(address: Address, tag: str) -> bool:
    """Return whether a value of `KEYRING` is that of any keyring in this place."""
    begins = keyring_tag(address, "")
    if not tag.startswith(begins):
        return False
    try:
        DocumentName(tag.removeprefix(begins), DocumentKind.SIGNING)
    except BadRingName:
        return False
    return True


def new_tags(address: Address, ring: str, algorithm: str) -> list[dict[str, str]]:
    """Return the tags of a new key: whose it is, and those of the store URL."""
    tags = {**address.tags, KEYRING: keyring_tag(address, ring), ALGORITHM: algorithm}
    return [{"TagKey": name, "TagValue": value} for name, value in tags.items()]


def told(
    tags: Iterable[Mapping[str, str]], member: str = "TagKey", value: str = "TagValue"
) -> dict[str, str]:
    """Return tags by name, as an answer tells them."""
    return {tag.get(member, ""): tag.get(value, "") for tag in tags}
