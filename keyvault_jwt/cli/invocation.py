"""How this command line was called, so that it can say what to type next."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from .command_line import NAME


def typed() -> str:
    """Return what to type to run this very command line again, in this directory."""
    program = Path(sys.argv[0])
    if program.name != NAME:
        return f"{shlex.quote(sys.executable)} -m keyvault_jwt"
    found = shutil.which(NAME)
    if found is not None and program.samefile(found):
        return NAME
    return shlex.quote(sys.argv[0])
