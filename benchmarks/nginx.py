"""nginx: Debian's, one worker that hands out one file under the headers it is given."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .wrk import on_first_core, tool

# sendfile and tcp_nopush as Debian sets them; connections are kept for as long as wrk uses them.
CONFIGURATION = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {{ worker_connections 768; }}
http {{
  access_log off; sendfile on; tcp_nopush on; etag off; keepalive_requests 1000000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  default_type {type};
  server {{
    listen 127.0.0.1:{port}; root {home}/www;
    {headers}
  }}
}}
"""


@contextmanager
def nginx(home: Path, path: str, body: bytes, headers: Mapping[str, str]) -> Iterator[str]:
    """Serve `body` at `path` while the block runs; yields its address.

    `headers` are the answer's, Content-Type among them; nginx's own come to them.
    """
    home.chmod(0o755)  # the worker is another user when root starts it
    file = home / "www" / path.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    (home / "nginx.conf").write_text(_configuration(home, port := _free_port(), headers))
    words = ("-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log"))
    with subprocess.Popen(on_first_core(tool("nginx"), *words)) as process:
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}{path}"
        finally:
            process.terminate()


def _configuration(home: Path, port: int, headers: Mapping[str, str]) -> str:
    rest = {name: value for name, value in headers.items() if name != "content-type"}
    lines = (f"add_header {name} '{_quoted(value)}';" for name, value in rest.items())
    return CONFIGURATION.format(
        type=headers["content-type"], port=port, home=home, headers="\n    ".join(lines)
    )


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await(port: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    with socket.socket() as connection:
        while connection.connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.01)
