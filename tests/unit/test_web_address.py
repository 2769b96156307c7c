"""Web addresses: which URLs keys may be fetched from, and where a name may lead."""

from __future__ import annotations

import ipaddress

import pytest

from keyvault_jwt.errors import BadURL
from keyvault_jwt.web_address import Reach, web_address


@pytest.mark.parametrize(
    ("url", "text", "authority"),
    [
        ("https://id.example/jwks", "https://id.example/jwks", "id.example"),
        ("https://id.example", "https://id.example/", "id.example"),
        ("https://id.example:8443/a/b?k=SECRET#f", "https://id.example:8443/a/b", "id.example:8443"),
        ("https://id.example:443/", "https://id.example/", "id.example"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/", "[2001:db8::1]:8443"),
        ("HTTPS://ID.example/X", "https://id.example/X", "id.example"),
        ("http://127.0.0.1:8700/", "http://127.0.0.1:8700/", "127.0.0.1:8700"),
        ("http://[::1]/", "http://[::1]/", "[::1]"),
        ("http://localhost/", "http://localhost/", "localhost"),
    ],
)
def test_good_url(url: str, text: str, authority: str) -> None:
    """A URL is read into parts; what is shown of it has no query, which may be a credential."""
    address = web_address(url)
    assert (str(address), address.authority) == (text, authority)
    assert "SECRET" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.example",
        "//id.example/",
        "https://",
        "https:///path",
        "file:///etc/passwd",
        "ftp://id.example/",
        "data:application/json,{}",
        "https://id.example:port/",
        "https://id.example:99999/",
        "https://[::1/",
        "https://id.example/a b",
        "https://id.example/\r\nHost: evil",
        "https://id.example\t/",
        "https://éxample/",
        "http://id.example/",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
    ],
)
def test_refused_url(url: str) -> None:
    """Other schemes, plain HTTP to other machines and unreadable URLs are refused."""
    with pytest.raises(BadURL):
        web_address(url)


@pytest.mark.parametrize("url", ["https://u:SECRET@id.example/", "https://SECRET@id.example/", "https://@h/"])
def test_credentials_in_the_url(url: str) -> None:
    """A URL with a user is refused, and the message does not repeat it."""
    with pytest.raises(BadURL) as refused:
        web_address(url)
    assert "SECRET" not in str(refused.value)


def test_plain_http_by_the_operators_word() -> None:
    """Plain HTTP elsewhere is for who asks for it; on this machine it must stay on it."""
    assert web_address("http://id.example/", allow_plain_http=True).reach is Reach.ANYWHERE
    assert web_address("http://localhost/").reach is Reach.LOOPBACK
    with pytest.raises(BadURL):
        web_address("http://127.0.0.1/", reach=Reach.PUBLIC)


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff0e::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "fec0::1",
    "2002:0a00:0001::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    """A learned URL leads to no private address, not even one wrapped into an IPv6 address."""
    assert not Reach.PUBLIC.admits(ipaddress.ip_address(address))
    assert Reach.ANYWHERE.admits(ipaddress.ip_address(address))


def test_public_and_loopback_addresses() -> None:
    """Public addresses are public; only this machine's are loopback."""
    for address in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert Reach.PUBLIC.admits(ipaddress.ip_address(address))
        assert not Reach.LOOPBACK.admits(ipaddress.ip_address(address))
    for address in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"):
        assert Reach.LOOPBACK.admits(ipaddress.ip_address(address))
