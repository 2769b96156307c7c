"""The dashboard: one page that needs nothing from elsewhere and runs no script."""

from __future__ import annotations

from .page import page
from .snapshot import Snapshot
from .style import policy

__all__ = ["Snapshot", "page", "policy"]
