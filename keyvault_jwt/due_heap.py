"""DueHeap: names and when each is due, the earliest first."""

from __future__ import annotations

import heapq


class DueHeap:
    """One due time for each name, in whatever unit its owner counts; not thread-safe.

    A time that was replaced stays in the heap until it comes up, so that changing one costs no
    more than adding one.
    """

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._due)

    def put(self, name: str, due: int) -> None:
        """Set when `name` is due, whatever was set before."""
        if self._due.get(name) == due:
            return
        self._due[name] = due
        heapq.heappush(self._heap, (due, name))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(due, name) for name, due in self._due.items()]
            heapq.heapify(self._heap)

    def remove(self, name: str) -> None:
        """Forget `name`, if it is there."""
        self._due.pop(name, None)

    def take_one(self, now: int) -> str | None:
        """Remove and return what is due at `now` and was due earliest; None if nothing is."""
        if (due := self.earliest()) is None or due > now:
            return None
        _, name = heapq.heappop(self._heap)
        del self._due[name]
        return name

    def take(self, now: int) -> list[str]:
        """Remove and return all that is due at `now`, the earliest first."""
        taken: list[str] = []
        while (name := self.take_one(now)) is not None:
            taken.append(name)
        return taken

    def earliest(self) -> int | None:
        """Return the earliest due time; None if there is none."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
