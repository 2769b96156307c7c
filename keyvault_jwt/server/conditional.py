"""If-None-Match (RFC 9110 section 13.1.2), and what its ETags tell of the one who sends it."""

from __future__ import annotations

import re
from typing import Final

_ETAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_OURS: Final = re.compile(r'"([0-9]{1,16})-([0-9]{1,12})-[0-9a-f]{16}"')
_LONGEST: Final = 4_096

# Most requests have no such field, and are answered in a few microseconds: nothing is searched in nothing.


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the sender already has `etag`, by weak comparison as the RFC asks."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag in _ETAG.findall(if_none_match[:_LONGEST])


def held(if_none_match: str) -> tuple[int, int] | None:
    """Return the newest (epoch, revision) among the sender's ETags of ours; None without one."""
    if not if_none_match:
        return None
    found = _OURS.findall(if_none_match[:_LONGEST])
    return max(((int(epoch), int(revision)) for epoch, revision in found), default=None)
