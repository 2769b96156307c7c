"""The environment variables of Vault's and OpenBao's own clients."""

from __future__ import annotations

import os


def from_environment(name: str) -> str:
    """Return `BAO_<name>`, else `VAULT_<name>`, else an empty string.

    OpenBao's client asks in this order, so that both servers may be used from one shell:
    https://openbao.org/docs/commands/#environment-variables
    """
    return os.environ.get(f"BAO_{name}", "").strip() or os.environ.get(f"VAULT_{name}", "").strip()
