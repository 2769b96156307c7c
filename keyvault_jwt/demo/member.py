"""Member: one process of the fleet, seen from the conductor."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from .errors import MemberLost
from .messages import ENCODER, REPORTS, Left, Order, Report

Inbox: TypeAlias = "queue.SimpleQueue[tuple[Member, Report]]"
"""Where every member's reports come together."""

_LONGEST_REMARK: Final = 200


class Member:
    """A process that plays `role`, and ends with this one: its stdin is the pipe that it watches.

    What it says on stderr goes to the file `remarks`.  `module` is what runs, and `reports` reads
    what it says.
    """

    def __init__(
        self,
        name: str,
        role: str,
        inbox: Inbox,
        *,
        environment: Mapping[str, str],
        remarks: Path,
        module: str = __package__ or "",
        reports: msgspec.json.Decoder[Report] = REPORTS,
    ) -> None:
        self.name, self.role, self._remarks, self._reports = name, role, remarks, reports
        self.expected_to_end = False
        with remarks.open("wb") as stderr:
            # -P: a module that lies in the working directory is none of ours.
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-P", "-m", module, role],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(environment),
            )
        self._reader = threading.Thread(target=self._read, args=(inbox,), name=f"from-{name}", daemon=True)
        self._reader.start()

    def __repr__(self) -> str:
        return f"Member({self.name!r}, pid={self.pid})"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended, as `Popen.returncode`; None while it runs."""
        return self._process.poll()

    def begin(self, part: msgspec.Struct) -> None:
        """Tell the member its part; it waits for that."""
        self._send(part)

    def order(self, order: Order) -> None:
        """Tell the member what to do; one that has ended hears nothing."""
        self._send(order)

    def kill(self) -> None:
        """End the member with SIGKILL; raises `MemberLost` if it had ended by itself."""
        self.expected_to_end = True
        self._process.kill()
        if self._process.wait() != -signal.SIGKILL:
            raise self.lost()

    def lost(self) -> MemberLost:
        """Return the error for a member that ended by itself."""
        return MemberLost(
            f"the process {self.name} ended, and nobody asked it to",
            why=self._remark() or self._ending(),
            fix="run it again; if that happens once more, report it",
        )

    def dismiss(self) -> None:
        """Close its pipe, at which it ends; does not wait."""
        self.expected_to_end = True
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def close(self, grace: float = 0.0) -> None:
        """Wait until it has ended, and kill it if that takes longer than `grace` seconds."""
        self.dismiss()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ending(self) -> str:
        """Return how it ended: a crash in native code, or SIGKILL, leaves no remark."""
        status = self._process.wait()
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"

    def _remark(self) -> str:
        """Return the last line that it wrote to stderr."""
        lines = self._remarks.read_text(errors="replace").strip().splitlines()
        return lines[-1][:_LONGEST_REMARK] if lines else ""

    def _send(self, message: msgspec.Struct) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # ended, or dismissed
            self._process.stdin.write(ENCODER.encode(message) + b"\n")
            self._process.stdin.flush()

    def _read(self, inbox: Inbox) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # A member that was killed may have been in the middle of a line.
            with suppress(msgspec.DecodeError):
                inbox.put((self, self._reports.decode(line)))
        inbox.put((self, Left()))
