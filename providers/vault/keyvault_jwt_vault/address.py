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
from keyvault_jwt.errors import BadDuration, BadStoreURL

from .environment import from_environment

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
    0: it does, says who set the store up).
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
    times = {name: _duration(name, parameters.pop(name, text)) for name, text in _DURATIONS.items()}
    if not all(times.values()):
        raise _bad("a time-out of 0 lets no request succeed")
    staleness = _duration("staleness", parameters.pop("staleness")) if "staleness" in parameters else None
    namespace = parameters.pop("namespace", None)
    address = Address(
        server=_server(),
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
    )
    return address, parameters


def _server() -> str:
    server = from_environment("ADDR") or _DEFAULT_SERVER
    try:
        parts = urlsplit(server)
        sound = parts.scheme in {"https", "http"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise _bad_server() from None
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise _bad_server()
    return server.rstrip("/")


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
