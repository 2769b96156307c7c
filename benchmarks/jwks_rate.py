"""How many requests for a JWK Set `up` answers, with all that runs beside, over nginx with a file."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from .figure import Figure
from .nginx import nginx
from .wrk import on_first_core, requests_per_second, tool

ROUNDS: Final = 11
SECONDS: Final = 1
RING: Final = "payments"
PATH: Final = f"/{RING}/.well-known/jwks.json"
# urllib asks for the connection to be closed; wrk's are kept.
_NOT_OF_THE_SET: Final = frozenset({"connection", "content-length", "date"})


def measure() -> float:
    """Return the median of the ratios of the rates, measured in turn after a round that does not count."""
    for name in ("nginx", "wrk", "taskset"):
        tool(name)
    with tempfile.TemporaryDirectory() as home, _ours(Path(home)) as ours:
        with urlopen(ours, timeout=30) as answer:
            body, headers = answer.read(), _fields(answer.headers)
        with nginx(Path(home), PATH, body, headers) as theirs:
            with urlopen(theirs, timeout=30) as answer:
                assert answer.read() == body
                assert headers.items() <= _fields(answer.headers).items()
            ratios = [_ratio(ours, theirs) for _ in range(1 + ROUNDS)]
    return statistics.median(ratios[1:])


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    fields = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in fields.items() if name not in _NOT_OF_THE_SET}


def _ratio(ours: str, theirs: str) -> float:
    return requests_per_second(ours, SECONDS) / requests_per_second(theirs, SECONDS)


@contextmanager
def _ours(home: Path) -> Iterator[str]:
    """Run `up` over a store in `home`: scheduler, publisher and dashboard in the one process."""
    own = {"KEYVAULT_JWT_STORE": f"file:{home}/keys", "KEYVAULT_JWT_STATE": f"{home}/state"}
    environment = os.environ | own
    command = [sys.executable, "-m", "keyvault_jwt"]
    subprocess.run(
        [*command, "create", RING, "--issuer", "https://id.example", "--standbys", "3", "--json"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    words = [*command, "up", "--ring", RING, "--port", "0", "--json"]
    with (
        (home / "up.log").open("w") as log,
        subprocess.Popen(
            on_first_core(*words), env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"] + PATH
        finally:
            process.terminate()


FIGURE = Figure(
    "jwks_rps_vs_nginx",
    f"requests/s for a JWK Set, on one core, over nginx's for a file, {ROUNDS} pairs of {SECONDS} s",
    None,
    measure,
    at_least=0.5,
)
