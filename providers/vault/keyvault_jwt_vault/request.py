"""Request: what is asked of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; `safe` if it does no harm to be carried out twice.

    `method` is GET, LIST, POST, PATCH or DELETE; `path` follows `/v1/`.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    safe: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
