"""The engines that check signatures, and which of them a test of an algorithm has to try."""

from __future__ import annotations

from typing import Any, Final

import pytest

from keyvault_jwt.engine import CRYPTOGRAPHY, Engine
from keyvault_jwt.fast import AWSLC, SERVED

ENGINES: Final[dict[str, Engine]] = {"cryptography": CRYPTOGRAPHY, "aws-lc": AWSLC()}

each_engine: Final = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
"""The test by each engine."""


def engines_for(algorithm: str) -> dict[str, Engine]:
    """Return the engines that differ for an algorithm, by name; where none does, the default alone."""
    return ENGINES if algorithm in SERVED else {"cryptography": CRYPTOGRAPHY}


def each_kind_by_each_engine(*kinds: str) -> pytest.MarkDecorator:
    """The test with each algorithm as `kind`, by each engine that differs for it."""
    cases: list[Any] = [
        pytest.param(kind, engine, id=f"{kind}-{name}")
        for kind in kinds
        for name, engine in engines_for(kind).items()
    ]
    return pytest.mark.parametrize(("kind", "engine"), cases)
