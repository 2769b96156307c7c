"""A prefix with two keyrings, and ways in for each role with the policy that is printed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.aws.policies.account import Account
from tests.aws.policies.house import House
from tests.aws.strict_secretsmanager import StrictSecretsManager

Houses: TypeAlias = Callable[..., House]


@pytest.fixture
def credentials(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of profiles, empty."""
    file = tmp_path / "credentials"
    environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    return file


@pytest.fixture
def houses(strict: StrictSecretsManager, credentials: Path) -> Iterator[Houses]:
    """Make houses of the test's own, `bare` or not as `Account` tells; each closes when the test ends."""
    made: list[House] = []

    def house(*, bare: bool = False, options: str = "") -> House:
        made.append(House(Account(strict, credentials, bare=bare), options))
        return made[-1]

    yield house
    for one in made:
        one.close()


@pytest.fixture
def house(houses: Houses) -> House:
    """A house with both keyrings and an archive in it."""
    made = houses()
    made.furnish()
    return made
