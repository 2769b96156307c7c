"""What `doctor` looks at on the machine: interpreter, packages, clocks, the state directory."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

from .._version import __version__
from ..clock import Clock, Milliseconds, Stopwatch, iso
from ..duration import format_duration
from .finding import Finding, fail, ok, warn
from .state import writable

EXTRAS: Final = MappingProxyType(
    {
        "server": ("starlette", "uvicorn", "prometheus_client"),
        "demo": ("joserfc", "starlette", "uvicorn", "prometheus_client"),
        "vault": ("hvac",),
        "aws": ("boto3",),
        "django": ("django",),
        "redis": ("redis",),
        "fast": ("awscrt",),
    }
)
"""The modules that each extra installs."""

_SAMPLE: Final = 0.2
"""Seconds over which the two clocks are compared."""
_TOLERANCE: Final[Milliseconds] = 50
_EARLIEST: Final = 1_735_689_600_000
"""2025-01-01T00:00:00Z: no machine that runs this is right to be earlier."""


def check_machine(clock: Clock, state: Path) -> Iterator[Finding]:
    """Yield what is to be said of this machine."""
    yield ok("python", f"{platform.python_version()}, keyvault-jwt {__version__}")
    yield check_extras()
    yield check_clock(clock)
    yield check_state(state)


def check_extras() -> Finding:
    """Say which optional packages are here; the embedded store alone needs none."""
    here = [extra for extra, modules in EXTRAS.items() if all(find_spec(name) for name in modules)]
    missing = [extra for extra in EXTRAS if extra not in here]
    if "server" not in here:
        return warn(
            "extras", "server is missing: `up` and `serve` need it", "pip install 'keyvault-jwt[server]'"
        )
    return ok("extras", ", ".join(here) + (f"; not installed: {', '.join(missing)}" if missing else ""))


def check_clock(clock: Clock) -> Finding:
    """Say whether the wall clock is plausible and goes as fast as the monotonic one."""
    watch, monotonic = Stopwatch(clock), clock.monotonic()
    threading.Event().wait(_SAMPLE)
    drift = abs((clock.wall() - watch.started) - (clock.monotonic() - monotonic))
    if clock.wall() < _EARLIEST:
        return fail("clock", f"the wall clock says {iso(clock.wall())}", "set it; run an NTP client")
    if drift > _TOLERANCE:
        seen = f"in {_SAMPLE} s the wall clock moved {format_duration(drift)} against the monotonic one"
        return fail("clock", seen, "see what steps the clock; NTP should slew it")
    return ok("clock", f"{iso(clock.wall())}, in step with the monotonic clock")


def check_state(directory: Path) -> Finding:
    """Say whether what was seen of a store can be remembered outside it."""
    if writable(directory):
        return ok("state", str(directory))
    return warn(
        "state",
        f"{directory} can't be written, so a store restored from a backup would not be noticed",
        "set KEYVAULT_JWT_STATE to a directory that survives restarts",
    )
