"""The strict layer in bad weather: what befalls each request of the fleet, as the moment has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeAlias

from tests.aws.faults import Fault
from tests.aws.strict_secretsmanager import StrictSecretsManager, scope_of

OPERATOR: Final = "AKIAOPERATOR"
"""Whose requests no weather befalls: the operator's, and the chronicle's."""

Weather: TypeAlias = Callable[[str, str], Fault | None]
"""What befalls a request, by its operation and region."""


def calm(_operation: str, _region: str) -> Fault | None:
    """Let every request pass."""
    return None


class StormyLayer(StrictSecretsManager):
    """A layer with a weather; `felt` counts the requests that each weather befell, by its name."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.weather: tuple[str, Weather] = ("calm", calm)
        self.felt: Counter[str] = Counter()

    def fault_for(self, operation: str, headers: dict[str, str]) -> Fault | None:
        """Return what the weather does to a request."""
        key, region = scope_of(headers)
        if key == OPERATOR:
            return None
        name, weather = self.weather
        fault = weather(operation, region)
        if fault is not None:
            self.felt[name] += 1
        return fault

    def prune(self, region: str) -> None:
        """Let the service delete every version that has no label, whoever may be about to move one there."""
        with self._one_at_a_time:
            for secret in self.region(region).secrets.values():
                for version in [name for name, it in secret.versions.items() if not it.labels]:
                    del secret.versions[version]
                    self.felt["versions pruned"] += 1

    def withhold(self, key: str) -> None:
        """Take every right from an access key."""

        def nothing(_operation: str, _name: str, _asked: object) -> bool:
            self.felt["access denied"] += 1
            return False

        self.grants.limit(key, nothing)

    def give_back(self, key: str) -> None:
        """Give an access key every right again."""
        self.grants.limit(key, lambda *_: True)
