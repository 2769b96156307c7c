"""Stores in a real Vault server, watched at their requests."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import MappingProxyType

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.store import DocumentName, Draft, Version
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from keyvault_jwt_vault.answer import Answer
from keyvault_jwt_vault.request import Request
from tests.failpoints.site import STORE, TARGET, Documents, Told
from tests.failpoints.surface import documents_in
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


class TellingVaultStore(VaultStore):
    """A store in Vault that tells of each write once it was answered."""

    told: Told

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and tell."""
        version = super().replace(name, draft, expected=expected)
        self.told(name, draft)
        return version


class VaultSite:
    """Stores below a prefix of the address, marks in `FOLDER/state`.

    To be put back to its start it goes on below another prefix: what is in Vault can't be moved.
    """

    def __init__(self, address: Address, token: str, folder: Path) -> None:
        self._address, self._token = address, token
        self._state, self._kept = folder / "state", folder / "kept"
        self._start: Documents = {}
        self._rounds = count()
        self._round = next(self._rounds)

    def open(self, place: str, trap: Trap, told: Told) -> tuple[VaultStore, MarkFiles]:
        """Open a store whose every request the trap hears of."""
        session = WatchedSession(self._at(place), StaticToken(self._token))
        session.trap, session.place = trap, place
        store = TellingVaultStore(session)
        store.told = told
        return store, MarkFiles(self._state, place)

    def documents(self) -> Documents:
        """Return every document of both stores."""
        found = {}
        for place in (STORE, TARGET):
            with self._store(place) as store:
                found |= documents_in(place, store)
        return MappingProxyType(found)

    def leftovers(self) -> list[str]:
        """Return the versions of private documents that are kept beside the last one."""
        found = []
        for place in (STORE, TARGET):
            with Session(self._at(place), StaticToken(self._token)) as session, self._store(place) as store:
                for name in store.names():
                    path = f"{self._address.mount}/metadata/{self._at(place).path(str(name))}"
                    versions = session.request("GET", path).data["versions"]
                    if name.kind.is_private and len(versions) > 1:
                        found.append(f"{place}/{name} versions {', '.join(versions)}")
        return found

    def keep(self) -> None:
        """Note the documents, and copy the marks."""
        self._start = self.documents()
        self._state.mkdir(exist_ok=True)
        shutil.copytree(self._state, self._kept)

    def restore(self) -> None:
        """Write the documents below another prefix, and copy the marks back."""
        self._round = next(self._rounds)
        shutil.rmtree(self._state)
        shutil.copytree(self._kept, self._state)
        for place in (STORE, TARGET):
            with self._store(place) as store:
                for (where, name), draft in self._start.items():
                    if where == place:
                        store.replace(name, draft, expected=None)

    def lands(self, document: str, step: str) -> bool:
        """Return whether it writes a document."""
        return step == _WRITE

    def _at(self, place: str) -> Address:
        return replace(self._address, prefix=self._address.path(str(self._round), place))

    def _store(self, place: str) -> VaultStore:
        return VaultStore(Session(self._at(place), StaticToken(self._token)))
