"""A web address that keys may be fetched from: checked as text, and again once it is resolved."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from .errors import BadURL

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives out as global; outside lie older ways to wrap or number private addresses."""


class Reach(Enum):
    """The addresses that a URL may lead to, once its name is resolved."""

    ANYWHERE = "anywhere"
    """An operator's own URL: clusters are private networks."""
    PUBLIC = "public addresses"
    """A URL that somebody else told us (RFC 8725 section 3.10: server-side request forgery)."""
    LOOPBACK = "this machine"
    """Plain HTTP that nobody asked for."""

    def admits(self, address: Address) -> bool:
        """Whether a connection to the address may be made."""
        if self is Reach.ANYWHERE:
            return True
        address = _embedded(address)
        if self is Reach.LOOPBACK:
            return address.is_loopback
        if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
            return False
        return address.is_global and not address.is_multicast


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A checked URL; as text it has neither user nor query, which may hold credentials."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = field(repr=False)
    reach: Reach

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port, as in the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def web_address(url: str, *, reach: Reach = Reach.ANYWHERE, allow_plain_http: bool = False) -> WebAddress:
    """Return the URL in parts; raises `BadURL`.

    HTTPS is asked for, except where `allow_plain_http` says otherwise and, for an operator's
    own URL, on this machine.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadURL("the URL is not printable ASCII text", fix="write its host name in punycode")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise BadURL("the URL can't be read") from None
    if scheme not in _PORTS or not host:
        raise BadURL("the URL is not an https:// one with a host")
    if parts.username is not None or parts.password is not None:
        raise BadURL("the URL holds a user or password", fix="give credentials as a header instead")
    if scheme == "http" and not allow_plain_http:
        if reach is Reach.PUBLIC or not names_this_machine(host):
            raise BadURL(
                f"plain HTTP to {host} is refused",
                why="whoever sits on the way could hand you keys of their own",
                fix="use https://, or allow plain HTTP explicitly",
            )
        reach = Reach.LOOPBACK
    return WebAddress(scheme, host, port or _PORTS[scheme], parts.path or "/", parts.query, reach)


def names_this_machine(host: str) -> bool:
    """Whether a URL's host is loopback, by number or by name (RFC 6761 section 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
