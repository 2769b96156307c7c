"""Types that JSON is read as are prepared at import.

msgspec prepares a type at its first use and notes it on the class before it is whole; another
thread that decodes the same type at that moment follows a null pointer, and the process is gone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
MODULES = sorted(
    file
    for top in ("keyvault_jwt", "providers")
    for file in (TREE / top).rglob("*.py")
    if "msgspec" in file.read_text()
)


def calls(module: ast.Module, *, at_import: bool) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of msgspec that happen at import, or those that happen later."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    later = {id(n) for f in ast.walk(module) if isinstance(f, functions) for n in ast.walk(f)}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and (id(node) not in later) is at_import:
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(TREE)))
def test_no_type_is_prepared_later(file: Path) -> None:
    """No function makes a decoder, or reads as a type for which the module has made none."""
    module = ast.parse(file.read_text())
    prepared = {
        ast.unparse(call.args[0])
        for name, call in calls(module, at_import=True)
        if name.endswith(".Decoder") and call.args
    }
    for name, call in calls(module, at_import=False):
        where = f"{file}:{call.lineno}"
        assert not name.endswith(".Decoder"), where
        if name in {"msgspec.json.decode", "msgspec.convert"}:
            kinds = [*call.args[1:], *(word.value for word in call.keywords if word.arg == "type")]
            assert {ast.unparse(kind) for kind in kinds} <= prepared, where
