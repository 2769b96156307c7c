"""The package's public names: all there, each resolved only when touched."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

import keyvault_jwt

HEAVY = {"apscheduler", "asyncio", "cryptography", "jwt", "logging", "msgspec", "pydantic", "threading"}


def modules_after(statement: str) -> set[str]:
    """Return the top-level modules and our own modules that a fresh interpreter has after `statement`."""
    script = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return {
        name if name.startswith("keyvault_jwt") else name.partition(".")[0]
        for name in json.loads(done.stdout)
    }


@pytest.mark.parametrize("name", keyvault_jwt.__all__)
def test_every_public_name_resolves(name: str) -> None:
    """Each name in __all__ is an attribute, shown by dir(), and the same object each time."""
    value = getattr(keyvault_jwt, name)
    assert value is getattr(keyvault_jwt, name)
    assert name in dir(keyvault_jwt)


def test_a_star_import_brings_the_public_names() -> None:
    """`from keyvault_jwt import *` works with lazy names and brings exactly __all__."""
    namespace: dict[str, object] = {}
    exec("from keyvault_jwt import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(keyvault_jwt.__all__)


def test_the_table_of_homes_agrees_with_all() -> None:
    """Every lazy name is public and every public name but the version is lazy."""
    assert {*keyvault_jwt._HOMES, "__version__"} == set(keyvault_jwt.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not public fails like on any module, naming module and attribute."""
    with pytest.raises(AttributeError, match="'keyvault_jwt' has no attribute 'KeyManger'"):
        _ = keyvault_jwt.KeyManger


def test_public_classes_pickle_by_reference() -> None:
    """A lazily resolved class survives a pickle, as multiprocessing needs."""
    assert pickle.loads(pickle.dumps(keyvault_jwt.RotationPolicy)) is keyvault_jwt.RotationPolicy


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`import keyvault_jwt` alone loads its version, and none of the packages it depends on."""
    loaded = modules_after("import keyvault_jwt")
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("keyvault_jwt")} == {
        "keyvault_jwt",
        "keyvault_jwt._version",
    }


def test_a_name_imports_only_its_own_part() -> None:
    """Touching the error root loads the errors and none of the packages we depend on."""
    loaded = modules_after("import keyvault_jwt; keyvault_jwt.KeyvaultJWTError")
    assert "keyvault_jwt.errors" in loaded
    assert not loaded & HEAVY
