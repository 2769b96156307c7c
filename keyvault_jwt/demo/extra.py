"""The packages that a demonstration needs beside our own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from ..errors import MissingExtra

PACKAGES: Final = ("joserfc", "prometheus_client", "starlette", "uvicorn")


def require_extra(find: Callable[[str], object | None] = find_spec) -> None:
    """Raise `MissingExtra` unless every package is there; imports none of them."""
    missing = [package for package in PACKAGES if find(package) is None]
    if missing:
        raise MissingExtra(
            "the demonstration needs packages that are not installed",
            why=f"missing: {', '.join(missing)}",
            fix="pip install 'keyvault-jwt[demo]'",
        )
