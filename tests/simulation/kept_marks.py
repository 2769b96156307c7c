"""High-water marks of one machine, which a restart keeps or loses."""

from __future__ import annotations

from keyvault_jwt.marks import Mark


class KeptMarks:
    """A `MarkStore` in a dictionary; unlike `MemoryMarks` it leaves no hook behind for forks."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}

    def load(self, ring: str) -> Mark | None:
        """Return the keyring's mark, None if there is none."""
        return self._marks.get(ring)

    def save(self, ring: str, mark: Mark) -> Mark:
        """Raise the keyring's mark."""
        kept = self._marks.get(ring)
        self._marks[ring] = raised = mark if kept is None else kept.raised_to(mark)
        return raised

    def reset(self, ring: str) -> None:
        """Forget the keyring's mark."""
        self._marks.pop(ring, None)
