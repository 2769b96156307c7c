"""What is said to be typed can be typed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from keyvault_jwt.cli.invocation import typed

SCRIPT = Path(sys.executable).with_name("keyvault-jwt")


def test_on_the_path_the_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the shell would find is this one."""
    monkeypatch.setenv("PATH", f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    assert typed() == "keyvault-jwt"


def test_elsewhere_the_path_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a virtual environment that is not active."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    assert typed() == str(SCRIPT)


def test_a_module_is_run_again_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m keyvault_jwt` says the same, and it works."""
    monkeypatch.setattr(sys, "argv", ["/x/keyvault_jwt/__main__.py"])
    done = subprocess.run([*shlex.split(typed()), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("keyvault-jwt ")
