"""The HTTP side: JWK Sets, issuer metadata, health, metrics and a page for operators.

Needs the `server` extra; importing this without it raises `MissingExtra`.
"""

from __future__ import annotations

from ..errors import MissingExtra

try:
    from .app import create_app
    from .observers import Observers
    from .serving import running, serve
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.startswith("keyvault_jwt"):
        raise
    raise MissingExtra(
        "the server needs packages that are not installed",
        why=f"{missing.name} is missing",
        fix="pip install 'keyvault-jwt[server]'",
    ) from missing

__all__ = ["Observers", "create_app", "running", "serve"]
