"""The real server that is shipped as a fixture for tests."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from keyvault_jwt.testing import BaoServer
from keyvault_jwt.testing.bao_server import free_port


def test_the_root_token_is_not_among_the_arguments() -> None:
    """What every user of the machine sees of a process does not hold the root token, which is good."""
    with BaoServer() as server:
        assert server.request("GET", "auth/token/lookup-self")["data"]["policies"] == ["root"]
        assert server._process is not None
        arguments = Path(f"/proc/{server._process.pid}/cmdline").read_bytes()
    assert b"-dev-no-store-token" in arguments, "it is the server's own line that was read"
    assert server.token.encode() not in arguments


def test_more_configuration_is_read() -> None:
    """What `config` says counts beside the development server's own listener."""
    port = free_port()
    listener = f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}'
    with (
        BaoServer(config=listener),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/sys/health") as answer,
    ):
        assert answer.status == 200
