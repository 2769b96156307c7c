"""Stores in Secrets Manager, watched at their requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from keyvault_jwt_aws import Address, AwsStore, SeparateStore, Service
from keyvault_jwt_aws.service import Answer
from keyvault_jwt_aws.versions import CANDIDATE, CURRENT, PREVIOUS, Versions
from tests.failpoints.prefix_site import PrefixSite
from tests.failpoints.site import STORE, TARGET
from tests.failpoints.trap import Trap

_MOVE, _TAKE_OFF = "move_label", "take_label_off"
_LANDING = {"create_secret", _MOVE}
_MAY_STAY = ({CURRENT}, {CURRENT, CANDIDATE}, {PREVIOUS}, set[str]())


class WatchedService(Service):
    """A service whose every request passes by a trap, before it is sent and after it was answered.

    It has the client of a service `like` it: making one takes longer than a command.
    """

    def __init__(self, address: Address, place: str, trap: Trap, like: Service) -> None:
        super().__init__(address)
        self._place, self._trap = place, trap
        self._clients = like._clients

    def request(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        safe: bool = True,
        expecting: frozenset[str] = frozenset(),
    ) -> Answer:
        """Ask, and let the trap hear of it."""
        secret = str(parameters.get("SecretId") or parameters.get("Name") or "secrets")
        step = operation
        if operation == "update_secret_version_stage":
            step = _MOVE if "MoveToVersionId" in parameters else _TAKE_OFF
        self._trap.began(f"{self._place}/{secret.rpartition('/')[2]}", step)
        answer = super().request(operation, parameters, safe=safe, expecting=expecting)
        self._trap.pass_by("after")
        return answer


class AwsSite(PrefixSite):
    """Stores below a prefix of the address."""

    def __init__(self, address: Address, folder: Path) -> None:
        super().__init__(folder)
        self._address, self._like = address, Service(address)

    def store(self, place: str, trap: Trap) -> AwsStore:
        """Open a store whose every request the trap hears of."""
        kind = SeparateStore if self._address.separate else AwsStore
        return kind(self._service(place, trap))

    def leftovers(self) -> list[str]:
        """Return the labels that no writer leaves: a candidate that is not current, and AWSPENDING."""
        found = []
        for place in (STORE, TARGET):
            service = self._service(place, Trap())
            for name in AwsStore(service).names():
                asked = {"SecretId": f"{service.address.prefix}/{name}", "IncludeDeprecated": True}
                versions = Versions.of(service.request("list_secret_version_ids", asked).body["Versions"])
                found += [
                    f"{place}/{name}: {' and '.join(sorted(labels))} on {version}"
                    for version, labels in versions.labels.items()
                    if set(labels) not in _MAY_STAY
                ]
        return found

    def lands(self, document: str, step: str) -> bool:
        """Return whether it makes a version current."""
        return step in _LANDING

    def _service(self, place: str, trap: Trap) -> WatchedService:
        at = replace(self._address, prefix=f"{self._address.prefix}/{self.folder(place)}")
        return WatchedService(at, place, trap, self._like)
