"""`python -m keyvault_jwt.demo ROLE`: one member of the fleet, told by its stdin what to do.

For the conductor alone: `keyvault-jwt demo` starts them.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Final

from .station import Station

ROLES: Final = ("scheduler", "server", "signer", "verifier")


def main() -> None:
    """Play the role named in the command line."""
    role = sys.argv[1]
    if role not in ROLES:
        sys.exit(f"there is no role {role!r} in a demonstration")
    # Ctrl-C is the conductor's to hear: it ends the fleet in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_module(f"{__package__}.{role}_process").run(Station(sys.stdin.buffer, sys.stdout.buffer))


if __name__ == "__main__":
    main()
