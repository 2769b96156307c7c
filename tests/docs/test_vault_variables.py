"""docs/vault.md lists every environment variable that the provider reads, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.docs.markdown import ROOT

_CODE = ROOT / "providers" / "vault" / "keyvault_jwt_vault"
_OWN = re.compile(r"(?:KEYVAULT_JWT_VAULT|ACTIONS|VAULT|BAO)_[A-Z_]+")
_BOTH = {"from_environment", "_file"}
"""The functions that read what they are told as `BAO_…` and as `VAULT_…`."""


def read_by(tree: ast.AST) -> Iterator[str]:
    """Yield the variables that a module names to a function that reads, or as a whole string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BOTH:
            for given in node.args:
                if isinstance(given, ast.Constant):
                    yield f"BAO_{given.value}"
                    yield f"VAULT_{given.value}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _OWN.fullmatch(node.value):
            yield node.value


def test_every_variable_is_listed() -> None:
    """The table of the environment and the code name the same variables."""
    read = {name for file in _CODE.rglob("*.py") for name in read_by(ast.parse(file.read_text("utf-8")))}
    page = (ROOT / "docs" / "vault.md").read_text("utf-8")
    _, _, rest = page.partition("## The environment\n")
    table = [line.split("|")[1] for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    listed = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert "KEYVAULT_JWT_VAULT_SECRET_ID" in read
    assert "VAULT_CLIENT_CERT" in read
    assert listed == read


def test_the_environment_is_read_nowhere_else() -> None:
    """Only the modules that take a name look into the environment, so that no variable escapes the list."""
    readers = {
        file.relative_to(_CODE).as_posix()
        for file in _CODE.rglob("*.py")
        if "os.environ" in file.read_text("utf-8")
    }
    assert readers == {"environment.py", "auth/secret.py", "auth/github_actions.py"}
