"""The Makefile's set-up tells a person what is missing, and does nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INPUTS = ("Makefile", "pyproject.toml", "constraints.txt")
Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the set-up depends on to an empty directory."""
    for name in INPUTS:
        shutil.copy2(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def make(checkout: Path) -> Make:
    """Run make there, with neither uv nor the variables of a make around this test run."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH"}
        environment = {name: value for name, value in os.environ.items() if name not in outer}
        command = ["make", "--no-print-directory", "UV=", *words]
        return subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def python(checkout: Path) -> Callable[[str], str]:
    """Make an interpreter that runs a line of Python before anything it is asked to run."""

    def interpreter(first: str) -> str:
        site = checkout / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(f"import sys\n{first}\n")
        program = checkout / "python"
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{site}" exec "{sys.executable}" "$@"\n')
        program.chmod(0o755)
        return f"PYTHON={program}"

    return interpreter


def test_an_old_python_is_named_with_what_to_do(make: Make, python: Callable[[str], str]) -> None:
    """Python 3.10 is refused before anything is made."""
    done = make("test", python("sys.version_info = (3, 10, 13)"))
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_no_python_at_all_is_said(make: Make) -> None:
    """Where no interpreter was found, the message says so rather than failing on an empty name."""
    done = make("up", "PYTHON=")
    assert done.returncode != 0
    assert "none was found" in done.stderr


def test_a_missing_venv_module_is_named_with_what_to_do(
    make: Make, python: Callable[[str], str], checkout: Path
) -> None:
    """Debian's python3 without python3-venv gets the package to install, and no half-made .venv."""
    done = make("test", python("sys.modules['ensurepip'] = None"))
    assert done.returncode != 0
    assert "python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("stamp", [".venv/.runtime", ".venv/.development"])
def test_set_up_is_done_again_only_when_its_inputs_change(make: Make, checkout: Path, stamp: str) -> None:
    """A stamp newer than its inputs needs no work; any input changed since asks for it."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    for name in (".venv/bin/python", stamp):
        (checkout / name).touch()
    assert make("--question", stamp).returncode == 0
    made = (checkout / stamp).stat().st_mtime
    for name in INPUTS:
        before = (checkout / name).stat().st_mtime
        os.utime(checkout / name, (made + 5, made + 5))
        assert make("--question", stamp).returncode == 1
        os.utime(checkout / name, (before, before))
    assert make("--question", stamp).returncode == 0
