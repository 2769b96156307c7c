"""Signing keys in the Transit engine of Vault and OpenBao: their private halves never leave it."""

from __future__ import annotations

from .mount import transit_mount
from .transit_store import TransitStore

__all__ = ["TransitStore", "transit_mount"]
