"""Serving: addresses, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from keyvault_jwt.errors import UsageError
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.server import create_app, running, serve
from tests.faulty_store import FaultyStore

PROGRAM = """
import keyvault_jwt as kj
from keyvault_jwt.server import create_app, serve
manager = kj.KeyManager(kj.open_store("memory:"))
manager.create("default", issuer="https://id.example")
serve(create_app(manager), port=0, bound=lambda address: print(address, flush=True))
print("ended", flush=True)
"""


def test_a_free_port_is_taken_and_told(store: FaultyStore, manager: KeyManager) -> None:
    """Port 0 becomes a real one, different for two servers, and the address answers."""
    with running(create_app(store)) as one, running(create_app(store)) as other:
        assert one != other
        for address in (one, other):
            assert httpx.get(f"{address}/healthz").status_code == 200


def test_ipv6_has_an_address_too(store: FaultyStore) -> None:
    """A host with colons is IPv6, bracketed in the address."""
    with running(create_app(store), host="::1") as address:
        assert address.startswith("http://[::1]:")
        assert httpx.get(f"{address}/healthz").status_code == 200


def test_an_end_leaves_no_thread(store: FaultyStore, manager: KeyManager) -> None:
    """After the block neither the server's thread nor a publisher's is left."""
    before = {thread.name for thread in threading.enumerate()}
    with running(create_app(store)) as address:
        httpx.get(f"{address}/payments/.well-known/jwks.json")
    left = {thread.name for thread in threading.enumerate()} - before
    assert not {name for name in left if name.startswith("keyvault-jwt")}


def test_an_address_that_cannot_be_had_is_said(store: FaultyStore) -> None:
    """A port in use, a port that is none and an unknown host are one clear error each."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        used = taken.getsockname()[1]
        for host, port in (("127.0.0.1", used), ("127.0.0.1", 70_000), ("no-such-host.invalid", 0)):
            with pytest.raises(UsageError, match=str(port)):
                serve(create_app(store), host=host, port=port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    """On SIGTERM and SIGINT `serve` returns, so that its caller can shut down what runs beside it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert httpx.get(f"{address}/.well-known/jwks.json", timeout=30).status_code == 200
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "ended\n", "")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "httptools", "prometheus_client"])
def test_without_the_extra_the_error_names_it(missing: str) -> None:
    """Importing the server without its packages is one clear error with the command that mends it."""
    program = f"""
import sys
sys.modules[{missing!r}] = None
from keyvault_jwt.errors import MissingExtra
try:
    import keyvault_jwt.server
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert missing in done.stdout
    assert "keyvault-jwt[server]" in done.stdout
