"""The import rules hold, and a wrong import planted in a copy of the tree breaks them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "keyvault_jwt", ROOT / "providers" / "vault", ROOT / "providers" / "aws")
LintImports = Callable[[], subprocess.CompletedProcess[str]]

LAYERS = "Data flows one way"
PURE = "The core does no I/O"
APART = "Signing, publishing and verifying need no key manager"
PLUGINS = "Providers are found through entry points"
CHOSEN = "AWS-LC is asked in one module"

IMPURE_CALLS = {
    "LocalKeyFactory", "SystemClock", "getrandom", "now", "open", "perf_counter", "print", "time_ns",
    "today", "token_bytes", "token_hex", "token_urlsafe", "urandom", "utcnow", "uuid1", "uuid4", "wall",
}  # fmt: skip


def contracts() -> dict[str, dict[str, Any]]:
    """Return the contracts of pyproject.toml by id."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def core_files() -> list[Path]:
    """Return the files that the pure-core contract is about."""
    return [ROOT / f"{name.replace('.', '/')}.py" for name in contracts()["pure-core"]["source_modules"]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy the packages and their rules to a place where a wrong import may be planted."""
    for source in SOURCES:
        shutil.copytree(
            source, tmp_path / source.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def lint_imports(tree: Path) -> LintImports:
    """Check the rules on the copy, in a process that finds the packages there alone."""

    def run() -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(str(tree / source.relative_to(ROOT)) for source in SOURCES[1:])
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as run; run()",
                "--no-cache",
            ],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tree), path)), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_tree_keeps_the_rules(lint_imports: LintImports) -> None:
    """The untouched tree passes every contract."""
    done = lint_imports()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(contracts())} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("keyring", "from .cli import main", LAYERS),
        ("errors", "from . import duration", LAYERS),
        ("policy", "from . import keys", LAYERS),
        ("store", "def f():\n    from .stores import memory", LAYERS),
        ("plan", "import time", PURE),
        ("document", "from secrets import token_bytes", PURE),
        ("command", "import os.path", PURE),
        ("attempt", "from urllib.request import urlopen", PURE),
        ("ledger", "def f():\n    import threading", PURE),
        ("invariants", "import keyvault_jwt_vault", PURE),
        ("signer", "from .key_manager import KeyManager", APART),
        ("verifier", "def f():\n    from . import key_manager", APART),
        ("store_url", "import keyvault_jwt_aws", PLUGINS),
        ("engine", "def f():\n    import awscrt.crypto", CHOSEN),
        ("verifier", "def f():\n    from . import fast", LAYERS),
    ],
)
def test_a_wrong_import_breaks_its_rule(
    tree: Path, lint_imports: LintImports, module: str, statement: str, broken: str
) -> None:
    """A planted import from above, from outside or of a provider fails the check and is named."""
    with (tree / "keyvault_jwt" / f"{module}.py").open("a") as source:
        source.write(f"\n{statement}\n")
    done = lint_imports()
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith(broken) and "BROKEN" in line)
    assert f"keyvault_jwt.{module}" in done.stdout[done.stdout.index(line) :]


def test_a_module_outside_the_layers_breaks_the_rules(tree: Path, lint_imports: LintImports) -> None:
    """A new module must be given a place among the layers before the check passes again."""
    (tree / "keyvault_jwt" / "newcomer.py").write_text('"""A module."""\n')
    done = lint_imports()
    assert done.returncode == 1
    assert "keyvault_jwt.newcomer" in done.stdout


@pytest.mark.parametrize("path", core_files(), ids=lambda path: path.stem)
def test_the_core_calls_nothing_impure(path: Path) -> None:
    """No core module calls a clock, a random source or the file system through a pure import."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    names = {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}
    assert not names & IMPURE_CALLS
