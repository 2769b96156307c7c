"""Base64 as lenient readers take it, so that what follows it can be judged, too."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode

_ELSE = re.compile(rb"[^A-Za-z0-9+/]")


def bytes_of(text: str | bytes) -> bytes:
    """Return what a lenient reader makes of base64, in either alphabet and whatever stands between."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    kept = _ELSE.sub(b"", raw.replace(b"-", b"+").replace(b"_", b"/"))
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return b64decode(kept + b"=" * (-len(kept) % 4))


def respelled(data: bytes) -> bytes:
    """Return the one spelling of RFC 7515 section 2."""
    return urlsafe_b64encode(data).rstrip(b"=")


def is_spelled_once(text: str | bytes) -> bool:
    """Whether the text is that spelling."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return respelled(bytes_of(raw)) == raw
