"""A trap among a store's system calls: it counts them, and springs before, amid or after one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyvault_jwt.stores.filesystem import SystemFilesystem

_ENDINGS = (".tmp", ".sealed", ".json")


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a command: the number of a system call, what it is done to, and when to spring."""

    number: int
    document: str
    step: str
    moment: str

    @property
    def name(self) -> str:
        """The point's name within its command, such as `017 authority/rename/after`."""
        return f"{self.number:03} {self.document}/{self.step}/{self.moment}"


class Trap:
    """Remembers every call, of all the places watched with it; does `deed` at `point`."""

    def __init__(
        self, point: Point | None = None, deed: Callable[[Point], None] = lambda point: None
    ) -> None:
        self.calls: list[tuple[str, str]] = []
        self._point, self._deed = point, deed

    def began(self, document: str, step: str) -> None:
        """Take note of a call that is about to be made."""
        self.calls.append((document, step))
        self.pass_by("before")

    def pass_by(self, moment: str) -> None:
        """Spring if the last call noted is the one, and this the moment."""
        if self.is_set_for(moment):
            document, step = self.calls[-1]
            self._deed(Point(len(self.calls) - 1, document, step, moment))

    def is_set_for(self, moment: str) -> bool:
        """Whether it springs at this moment of the last call noted."""
        point = self._point
        return point is not None and (point.number, point.moment) == (len(self.calls) - 1, moment)

    def points(self) -> list[Point]:
        """Return every point of the calls noted: before and after each, and amid a write."""
        return [
            Point(number, document, step, moment)
            for number, (document, step) in enumerate(self.calls)
            for moment in (("before", "amid", "after") if step == "write" else ("before", "after"))
        ]


class WatchedCalls:
    """The system's own calls at one place (`store`, `target`, `marks`), each passing by a trap."""

    def __init__(self, place: str, trap: Trap) -> None:
        self._place, self._trap = place, trap
        self._system = SystemFilesystem()
        self._files: dict[int, str] = {}

    def __getattr__(self, step: str) -> Callable[..., Any]:
        call = getattr(self._system, step)

        def run(*arguments: Any, **options: Any) -> Any:
            document = self._document(step, arguments[0])
            self._trap.began(f"{self._place}/{document}", step)
            if step == "write" and self._trap.is_set_for("amid"):
                file, data = arguments
                call(file, data[: len(data) // 2])
                self._trap.pass_by("amid")
                arguments = (file, data[len(data) // 2 :])
            result = call(*arguments, **options)
            self._follow(step, arguments[0], document, result)
            self._trap.pass_by("after")
            return result

        return run

    def _document(self, step: str, subject: int | str) -> str:
        if isinstance(subject, int):
            return self._files.get(subject, "directory")
        name = Path(subject).name.lstrip(".")
        if ".key" in name:
            return "master-key"  # named by a random id
        for ending in _ENDINGS:
            name = name.removesuffix(ending)
        return name

    def _follow(self, step: str, subject: int | str, document: str, result: object) -> None:
        if isinstance(result, int):
            self._files[result] = document
        elif step in {"close", "unlock"}:
            # A lock's file is closed next, and its number given to another.
            self._files.pop(int(subject), None)
