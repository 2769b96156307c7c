"""Answer: what a server said to one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object of the body (empty if there was none).

    `is_vaults` tells whether the body was such an object: a proxy's page is not.  `retry_after`
    is in seconds, and `index` the storage index of `X-Vault-Index`.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_vaults: bool = True
    retry_after: int = 0
    index: str = ""

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the `data` member, empty if there is none."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else _NOTHING

    @property
    def errors(self) -> str:
        """Return what the server gave as reasons, in one printable line; Vault's texts hold no secrets."""
        errors = self.body.get("errors")
        listed = errors if isinstance(errors, list) else []
        told = "; ".join(str(error) for error in listed)
        return " ".join("".join(sign if sign.isprintable() else " " for sign in told).split())[:500]


NO_ANSWER: Final = Answer(0)
"""What stands for the answer that did not come."""


def parse_answer(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Return the answer that a status, a body and headers are."""
    retry, index = headers.get("Retry-After", ""), headers.get("X-Vault-Index", "")
    seconds = int(retry) if retry.isascii() and retry.isdigit() and len(retry) < 6 else 0
    if not body:
        return Answer(status, {}, status in {200, 204}, seconds, index)
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        found = None
    return Answer(status, found if isinstance(found, dict) else {}, isinstance(found, dict), seconds, index)
