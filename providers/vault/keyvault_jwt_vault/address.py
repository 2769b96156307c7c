"""Address: which server, which mount and which way there, as a store URL and the environment say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.duration import milliseconds, parse_duration
from keyvault_jwt.errors import BadDuration, BadStoreURL, BadURL
from keyvault_jwt.web_address import web_address

from .environment import from_environment

ARCHIVES: Final = "archive-"
"""What the last part of every archived document's path begins with."""

_DEFAULT_SERVER: Final = "https://127.0.0.1:8200"
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_.~-]+", re.ASCII)
_DURATIONS: Final = MappingProxyType({"connect_timeout": "3s", "read_timeout": "10s", "deadline": "30s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A place in a server, and how to get there.

    `prefix` is the path in the mount above the keyrings, without slashes at its ends.  Files
    are paths; `authorities` may also be a directory of them.  Times are milliseconds:
    `connect_timeout` and `read_timeout` bound one try, `deadline` a request with its
    repetitions, and `staleness` is how old a read may be (None: the active node must answer it;
    0: it does, says who set the store up).  `allow_plain_http` lets the token go in the clear to
    another machine, as in a pod whose sidecar speaks TLS; to this machine it always may.

    Raises `BadStoreURL` for a `server` that is none, or that plain HTTP may not lead to.
    """

    server: str
    mount: str
    prefix: str = ""
    namespace: str = ""
    authorities: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    connect_timeout: Milliseconds = 3_000
    read_timeout: Milliseconds = 10_000
    deadline: Milliseconds = 30_000
    staleness: Milliseconds | None = None
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        _require_server(self.server, allow_plain_http=self.allow_plain_http)

    def path(self, *parts: str) -> str:
        """Return parts joined under the prefix, as KV paths are."""
        return "/".join(part for part in (self.prefix, *parts) if part)


def parse_url(url: str) -> tuple[Address, dict[str, str]]:
    """Return the address of a `vault://MOUNT/PREFIX?…` URL, and the parameters that are not its own.

    The server, namespace, certificates and proxy come from the environment, as for Vault's own
    client.  A slash inside a mount's path is written `%2F`.  Raises `BadStoreURL`.
    """
    parts = urlsplit(url)
    mount, prefix = unquote(parts.netloc).strip("/"), unquote(parts.path).strip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    parameters = dict(pairs)
    if parts.scheme != "vault" or parts.fragment or len(pairs) != len(parameters):
        raise _bad("it has a fragment, or an option twice")
    for path in (mount, *([prefix] if prefix else [])):
        if not all(_SEGMENT.fullmatch(part) and set(part) != {"."} for part in path.split("/")):
            raise _bad("the mount or the prefix is missing or has other characters than A-Z a-z 0-9 _ . ~ -")
    if any(part.startswith(ARCHIVES) for part in prefix.split("/")):
        raise _bad(f"a part of the prefix begins with {ARCHIVES!r}, as archives do, which policies grant")
    times = {name: _duration(name, parameters.pop(name, text)) for name, text in _DURATIONS.items()}
    if not all(times.values()):
        raise _bad("a time-out of 0 lets no request succeed")
    staleness = _duration("staleness", parameters.pop("staleness")) if "staleness" in parameters else None
    namespace = parameters.pop("namespace", None)
    address = Address(
        server=(from_environment("ADDR") or _DEFAULT_SERVER).rstrip("/"),
        mount=mount,
        prefix=prefix,
        namespace=(from_environment("NAMESPACE") if namespace is None else namespace).strip("/"),
        authorities=_file("CACERT") or _file("CAPATH"),
        client_certificate=_file("CLIENT_CERT"),
        client_key=_file("CLIENT_KEY"),
        server_name=from_environment("TLS_SERVER_NAME"),
        proxy=from_environment("PROXY_ADDR") or from_environment("HTTP_PROXY"),
        connect_timeout=times["connect_timeout"],
        read_timeout=times["read_timeout"],
        deadline=times["deadline"],
        staleness=staleness,
        allow_plain_http=_consent(parameters.pop("allow_plain_http", None)),
    )
    return address, parameters


def _require_server(server: str, *, allow_plain_http: bool) -> None:
    try:
        place = web_address(server, allow_plain_http=True)
    except BadURL:
        raise _bad_server() from None
    if place.query or "?" in server or "#" in server:
        raise _bad_server()
    try:
        web_address(server, allow_plain_http=allow_plain_http)
    except BadURL:
        raise BadStoreURL(
            f"plain HTTP to the Vault server {place.host} is refused",
            why="the token and every private half would go over the network in the clear",
            fix="set VAULT_ADDR to https://…; where a sidecar or tunnel encrypts the way, say so in the "
            "store URL: ?allow_plain_http=true",
        ) from None


def _consent(word: str | None) -> bool:
    if word not in {None, "true", "false"}:
        raise _bad("its allow_plain_http is neither true nor false")
    return word == "true"


def _file(name: str) -> Path | None:
    path = from_environment(name)
    return Path(path) if path else None


def _duration(name: str, text: str) -> Milliseconds:
    try:
        return milliseconds(min(parse_duration(text), timedelta(days=1)))
    except BadDuration:
        raise _bad(f"its {name} is not a duration such as 3s") from None


def _bad(why: str) -> BadStoreURL:
    return BadStoreURL(
        "the vault store URL can't be used", why=why, fix="write it like vault://secret/jwt?auth=approle"
    )


def _bad_server() -> BadStoreURL:
    return BadStoreURL(
        "BAO_ADDR or VAULT_ADDR names no server",
        why="it is not an http:// or https:// URL with a host, or it carries more than that",
        fix="set it like https://vault.example:8200",
    )
