"""`keyvault-jwt` in processes of its own, over a store and a state directory of the test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ISSUER = "https://id.example"
SECONDS = [
    *("--rotate-every=6s", "--token-ttl=2s", "--leeway=100ms", "--clock-skew=100ms"),
    *("--signer-poll=200ms", "--publisher-poll=200ms", "--signer-lease=1500ms", "--publisher-lease=1500ms"),
    *("--jwks-max-age=1s", "--max-stale=1s", "--rollback-window=1s"),
]
DEADLINE = 60.0
Done = subprocess.CompletedProcess[str]


@dataclass
class Shell:
    """Runs `keyvault-jwt` in processes of its own, and keeps all that they wrote."""

    home: Path
    environment: dict[str, str]
    written: list[str] = field(default_factory=list)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *words: str, status: int | None = 0, stdin: str = "", **environment: str) -> Done:
        """Run the words without a terminal and return what came."""
        done = subprocess.run(
            [sys.executable, "-m", "keyvault_jwt", *words],
            cwd=self.home,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
        self.written += [done.stdout, done.stderr]
        assert status is None or done.returncode == status, (words, done.returncode, done.stderr)
        return done

    def json(self, *words: str, status: int = 0) -> Any:
        """Run the words with `--json` and return the object on stdout."""
        return json.loads(self.run(*words, "--json", status=status).stdout)

    def start(self, *words: str, **pipes: Any) -> subprocess.Popen[str]:
        """Start the words as a process that goes on, until `close` at the latest."""
        process = subprocess.Popen(
            [sys.executable, "-m", "keyvault_jwt", *words],
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **pipes,
        )
        self.running.append(process)
        return process

    def close(self) -> None:
        """End what is still running."""
        for process in self.running:
            process.kill()
            process.wait(DEADLINE)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@contextmanager
def shell_in(place: Path) -> Iterator[Shell]:
    """Yield a shell whose home, store and state are in `place`, and whose environment is bare."""
    home = place / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "PYTHONPATH") if name in os.environ}
    own = {"KEYVAULT_JWT_STORE": f"file:{place / 'keys'}", "KEYVAULT_JWT_STATE": str(place / "state")}
    with closing(Shell(home, kept | own | {"HOME": str(home)})) as shell:
        yield shell
