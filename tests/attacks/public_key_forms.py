"""Every way in which somebody might write down a public key, and then take that for an HMAC secret."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyvault_jwt import base64url, jwk

_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.example")])
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def public_key_forms(private: Any, kid: str) -> set[bytes]:
    """Return the forms of the private key's public half, all different."""
    public = private.public_key()
    members = jwk.public_members(public) | {"kid": kid}
    texts = [*_pems(private), *_json_forms(members), *_member_texts(members)]
    binaries = [*_binaries(private), *_thumbprints(members)]
    forms = {written for text in texts for written in _rewritten(text)}
    forms |= {written for data in binaries for written in _spelt(data)}
    return forms


def _certificate(private: Any) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(_NAME).issuer_name(_NAME).serial_number(1)
    builder = builder.public_key(private.public_key()).not_valid_before(_DAY)
    builder = builder.not_valid_after(_DAY + timedelta(days=1))
    digest = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private, digest)


def _pems(private: Any) -> Iterator[bytes]:
    public = private.public_key()
    yield public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield _certificate(private).public_bytes(Encoding.PEM)
    yield public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    if isinstance(public, rsa.RSAPublicKey):
        yield public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)


def _binaries(private: Any) -> Iterator[bytes]:
    public = private.public_key()
    yield public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield _certificate(private).public_bytes(Encoding.DER)
    yield base64.b64decode(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    if isinstance(public, rsa.RSAPublicKey):
        yield public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        numbers = public.public_numbers()
        yield numbers.n.to_bytes((public.key_size + 7) // 8, "big")
        yield b"\0" + numbers.n.to_bytes((public.key_size + 7) // 8, "big")
        yield str(numbers.n).encode()
    elif isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        yield from (point, point[1:], point[1 : len(point) // 2 + 1], point[len(point) // 2 + 1 :])
        yield public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    else:
        yield public.public_bytes_raw()
        yield public.public_bytes_raw()[::-1]


def _json_forms(members: dict[str, str]) -> Iterator[bytes]:
    """The JWK and the set of it, with and without labels, in several layouts and orders."""
    bare = {name: value for name, value in members.items() if name != "kid"}
    labelled = members | {"use": "sig"}
    for document in (bare, members, labelled, {"keys": [labelled]}, [labelled]):
        for layout in ({"separators": (",", ":")}, {}, {"indent": 2}, {"sort_keys": True}):
            yield json.dumps(document, **layout).encode()  # type: ignore[arg-type]


def _member_texts(members: dict[str, str]) -> Iterator[bytes]:
    for name in ("n", "e", "x", "y", "kid"):
        if name in members:
            yield members[name].encode()
    yield "".join(members.get(name, "") for name in ("x", "y", "n", "e")).encode()


def _thumbprints(members: dict[str, str]) -> Iterator[bytes]:
    yield base64url.decode(jwk.thumbprint(members))
    names = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
    canonical = json.dumps({n: members[n] for n in names[members["kty"]]}, separators=(",", ":")).encode()
    for digest in (hashlib.sha1, hashlib.sha384, hashlib.sha512, hashlib.md5):
        yield digest(canonical).digest()


def _spelt(data: bytes) -> Iterator[bytes]:
    """Bytes as they are, and in the texts that stand for bytes."""
    standard = base64.b64encode(data)
    yield from (data, standard, standard.rstrip(b"="), base64url.encode(data).encode())
    yield from (base64.encodebytes(data), data.hex().encode(), data.hex().upper().encode())
    yield from (data.hex(":").encode(), data + b"\n", data + b"\0")


_REWRITES: tuple[Callable[[bytes], bytes], ...] = (
    lambda text: text,
    bytes.strip,
    lambda text: text.strip() + b"\n",
    lambda text: text.strip() + b"\n\n",
    lambda text: text.strip() + b"\r\n",
    lambda text: text.replace(b"\n", b"\r\n"),
    lambda text: text.replace(b"\n", b"\r"),
    lambda text: text.replace(b"\n", b""),
    lambda text: text.replace(b"\n", b" "),
    lambda text: text.replace(b"\n", b"\\n"),
    lambda text: text.replace(b" ", b""),
    lambda text: b" " + text,
    lambda text: b"\n" + text,
    lambda text: b"\t" + text,
    lambda text: text + b" ",
    lambda text: text + b"\0",
    lambda text: b"\xef\xbb\xbf" + text,
    lambda text: json.dumps(text.decode()).encode(),
    lambda text: quote(text).encode(),
    lambda text: text.decode().encode("utf-16"),
    lambda text: text.decode().encode("utf-16-le"),
    lambda text: b"".join(line for line in text.splitlines() if b"-----" not in line),
    lambda text: b"\n".join(line for line in text.splitlines() if b"-----" not in line),
    lambda text: text.swapcase(),
    base64.b64encode,
    lambda text: base64url.encode(text).encode(),
    lambda text: hashlib.sha256(text).digest(),
)


def _rewritten(text: bytes) -> Iterator[bytes]:
    """Text as it is, and as editors, shells and configuration files leave it."""
    for rewrite in _REWRITES:
        yield rewrite(text)
