"""A store's optional capability: to make what it needs before its first document."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Prepares(Protocol):
    """A store that must be made before it can be used, and is made only when a person asks."""

    def prepare(self) -> tuple[str, ...]:
        """Make what is missing and return a sentence for each thing made, to be shown; idempotent.

        Raises `StoreError` or `MasterKeyError`.
        """
        ...
