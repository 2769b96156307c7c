"""What a role must be granted in a store, as the store's provider tells it.

A provider tells it by a function `access` in the module of its `keyvault_jwt.providers` entry
point, beside `open_url`:

    def access(role: str, url: str, ring: str) -> tuple[str, tuple[str, ...]]

`role` is one of `ROLES`, `ring` a keyring's name or `*` for all.  The first part of the answer
is what a person applies, ready to be piped: a Vault policy, an IAM policy document, commands.
The second are sentences for that person, such as which environment the role needs.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Final, Protocol

from ..errors import UsageError
from ..store_url import GROUP, open_store, refuse_credentials
from . import file_access

ROLES: Final = ("rotator", "signer", "publisher", "verifier", "auditor")
EVERY_RING: Final = "*"
Access = tuple[str, tuple[str, ...]]


class TellsAccess(Protocol):
    """A provider's `access`."""

    def __call__(self, role: str, url: str, ring: str) -> Access:
        """Return what the role must be granted, and what else there is to know."""
        ...


def access_of(role: str, url: str, ring: str) -> Access:
    """Return what a role needs in the store at `url`.

    Raises `UsageError` for a store that has no roles, and what `open_store` raises for a URL
    that no provider understands or that carries credentials.
    """
    scheme = url.partition(":")[0]
    refuse_credentials(scheme, url)
    for point in entry_points(group=GROUP, name=scheme):
        told: TellsAccess | None = getattr(_module(point, url), "access", None)
        if told is None and scheme == "file":
            told = file_access.access
        if told is not None:
            return told(role, url, ring)
    open_store(url)
    raise UsageError(
        f"{scheme} stores don't say what a role needs",
        why="they have no roles, or their provider has no `access` function",
        fix="see the provider's documentation",
    )


def _module(point: EntryPoint, url: str) -> ModuleType:
    try:
        return import_module(point.module)
    except ModuleNotFoundError:
        open_store(url)  # says which extra has it
        raise
