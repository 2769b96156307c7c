"""Store URLs: `file:DIR`, `memory:`, `vault://…`, `awssm://…`, and anyone's through entry points."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ._version import __version__
from .errors import BadStoreURL, MissingExtra
from .store import DocumentStore

GROUP: Final = "keyvault_jwt.providers"
"""Entry-point group: the name is the scheme, the object an `open_url(url: str) -> DocumentStore`."""

_EXTRAS: Final = MappingProxyType({"vault": "vault", "awssm": "aws"})
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]{0,31}):", re.ASCII)
_CREDENTIALS: Final = re.compile(
    r"password|passwd|pass|pwd|token|secret|secret_?(id|key)|credentials?|private_?key|api_?key"
    r"|(aws_?)?(access_?key(_?id)?|secret_?access_?key|session_?token)|\w+_(token|password|secret)",
    re.ASCII | re.IGNORECASE,
)


def open_store(url: str | None = None) -> DocumentStore:
    """Return the store that `url` names; without one, that of `KEYVAULT_JWT_STORE`.

    Raises `BadStoreURL` for a URL that no provider understands or that carries credentials,
    and `MissingExtra` when the provider or its packages are not installed.  No message quotes the
    URL: it may hold what its author should not have put there.
    """
    if url is None:
        url = _from_environment()
    scheme = _scheme(url)
    refuse_credentials(scheme, url)
    provider = _provider(scheme)
    try:
        open_url = provider.load()
    except ModuleNotFoundError as missing:
        raise _missing(scheme, str(missing.name)) from missing
    store: DocumentStore = open_url(url)
    return store


def _from_environment() -> str:
    from .settings import Settings  # noqa: PLC0415  (slow to import, and needed only here)

    url = Settings().store
    if url is None:
        raise BadStoreURL(
            "no store was named",
            why="no URL was given and KEYVAULT_JWT_STORE is not set",
            fix="set KEYVAULT_JWT_STORE or give a URL such as file:./keys",
        )
    return url


def _scheme(url: str) -> str:
    found = _SCHEME.match(url)
    if not found:
        raise BadStoreURL(
            "a store URL begins with a scheme and a colon",
            fix=f"write it like file:./keys; the schemes here are {_known()}",
        )
    return found[1]


def refuse_credentials(scheme: str, url: str) -> None:
    """Raise `BadStoreURL` for a URL that carries credentials; its message does not quote them."""
    if scheme == "file":
        return  # a path, in which '@' and '=' mean nothing
    try:
        parts = urlsplit(url)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        raise BadStoreURL(f"the {scheme} store URL is not a URL", fix="check its brackets and port") from None
    if "@" in parts.netloc or any(_CREDENTIALS.fullmatch(name) for name in names):
        raise BadStoreURL(
            f"the {scheme} store URL carries credentials",
            why="a URL ends up in process lists, logs and shell histories",
            fix="take them out and give them by the provider's environment variables or files",
        )


def _provider(scheme: str) -> EntryPoint:
    found = list({point.value: point for point in entry_points(group=GROUP, name=scheme)}.values())
    if len(found) > 1:
        raise BadStoreURL(
            f"more than one installed package offers {scheme} stores",
            why=", ".join(sorted(point.value for point in found)),
            fix="uninstall all but one of them",
        )
    if not found and scheme in _EXTRAS:
        raise MissingExtra(
            f"no provider of {scheme} stores is installed",
            why=f"keyvault-jwt {__version__} brings none, and no other package here offers one",
            fix=f"use file:DIR until a version has it in keyvault-jwt[{_EXTRAS[scheme]}]",
        )
    if not found:
        raise BadStoreURL(
            f"no installed package offers {scheme} stores", fix=f"the schemes here are {_known()}"
        )
    return found[0]


def _missing(scheme: str, what: str) -> MissingExtra:
    extra = _EXTRAS.get(scheme)
    how = f"pip install 'keyvault-jwt[{extra}]'" if extra else f"install what offers {scheme} stores again"
    return MissingExtra(
        f"{scheme} stores need packages that are not installed", why=f"{what} is missing", fix=how
    )


def _known() -> str:
    return ", ".join(sorted({point.name for point in entry_points(group=GROUP)} | set(_EXTRAS)))
