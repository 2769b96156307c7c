"""Stores in a real Vault server, watched at their requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from keyvault_jwt_vault.answer import Answer
from keyvault_jwt_vault.request import Request
from tests.failpoints.prefix_site import PrefixSite
from tests.failpoints.site import STORE, TARGET
from tests.failpoints.trap import Trap

_WRITE = "POST data"


class WatchedSession(Session):
    """A session whose every request passes by a trap, before it is sent and after it was answered."""

    trap: Trap
    place: str

    def _try(
        self, asked: Request, token: str, deadline: Milliseconds
    ) -> tuple[Answer, KeyvaultJWTError | None]:
        parts = asked.path.split("/")
        endpoint = parts[0] if parts[0] == "sys" else parts[1]
        self.trap.began(f"{self.place}/{parts[-1]}", f"{asked.method} {endpoint}")
        told = super()._try(asked, token, deadline)
        self.trap.pass_by("after")
        return told


class VaultSite(PrefixSite):
    """Stores below a prefix of the address."""

    def __init__(self, address: Address, token: str, folder: Path) -> None:
        super().__init__(folder)
        self._address, self._token = address, token

    def store(self, place: str, trap: Trap) -> VaultStore:
        """Open a store whose every request the trap hears of."""
        session = WatchedSession(self._at(place), StaticToken(self._token))
        session.trap, session.place = trap, place
        return VaultStore(session)

    def leftovers(self) -> list[str]:
        """Return the versions of private documents that are kept beside the last one."""
        found = []
        for place in (STORE, TARGET):
            with Session(self._at(place), StaticToken(self._token)) as session:
                for name in VaultStore(session).names():
                    path = f"{self._address.mount}/metadata/{self._at(place).path(str(name))}"
                    versions = session.request("GET", path).data["versions"]
                    if name.kind.is_private and len(versions) > 1:
                        found.append(f"{place}/{name} versions {', '.join(versions)}")
        return found

    def lands(self, document: str, step: str) -> bool:
        """Return whether it writes a document."""
        return step == _WRITE

    def _at(self, place: str) -> Address:
        return replace(self._address, prefix=self._address.path(self.folder(place)))
