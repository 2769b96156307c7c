"""moto's server as a process of its own: the stand-in for AWS that the strict layer is put before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.waiting import until

_RUNNING = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


class MotoServer:
    """`moto_server` on a free port of loopback, ended with the block."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="moto-")
        self._log = Path(self._directory.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"NO_COLOR": "1"},
            )
        self.url = ""

    def __enter__(self) -> Self:
        until(self._found, within=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._directory.cleanup()

    def _found(self) -> bool:
        log = self._log.read_text(errors="replace")
        assert self._process.poll() is None, log
        running = _RUNNING.search(log)
        self.url = running[1] if running else ""
        return running is not None
