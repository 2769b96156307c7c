"""Where a store's master key is: in the environment, or in a file that was made with the store."""

from __future__ import annotations

from pathlib import Path

from ..errors import MasterKeyError
from ..settings import Settings
from .directory import open_directory
from .filesystem import Filesystem
from .identity import store_id
from .master_key import MasterKey, given_master_key, key_file, make_key_file, sweep_key_file
from .os_failure import told


class KeyFinder:
    """Finds the master key of one store, or makes it."""

    def __init__(self, store: Path, filesystem: Filesystem) -> None:
        self._store, self._filesystem, self._settings = store, filesystem, Settings()

    def find(self) -> MasterKey:
        """Return the key: the environment's first, then the store's own file; raises `MasterKeyError`."""
        given = given_master_key(self._settings)
        if given is not None:
            return given
        own = self._own_file()
        found = key_file(own) if own else None
        if found is None:
            raise self._missing(own)
        return found

    def prepare(self, *, sealed: bool) -> list[str]:
        """Make the store's own key file if no key is found; return what to tell the person who asked.

        Raises `MasterKeyError` for a store with sealed documents whose key is gone.
        """
        given = given_master_key(self._settings)
        own = self._own_file()
        if given is not None or own is None:
            return []
        if key_file(own) is not None:
            sweep_key_file(own, self._filesystem)
            return []
        if sealed:
            raise self._missing(own)
        if not make_key_file(own, self._filesystem):
            return []
        return [
            f"made the master key {own} (mode 0600); keep a copy apart from the store:"
            " without it no private document can be opened"
        ]

    def _own_file(self) -> Path | None:
        """Return the key file's place, named by the store's id; None for a store without one."""
        with told("read", self._store):
            try:
                with open_directory(self._filesystem, self._store) as directory:
                    known = store_id(directory)
            except FileNotFoundError:
                return None
        if known is None:
            return None
        path = self._settings.state_directory / "master-keys" / f"{known}.key"
        if path.resolve().is_relative_to(self._store.resolve()):
            raise MasterKeyError(
                f"the master key of {self._store} would lie inside it",
                why="who copies the store would copy its key",
                fix="set KEYVAULT_JWT_STATE to a directory outside the store",
            )
        return path

    def _missing(self, own: Path | None) -> MasterKeyError:
        nowhere = (
            "KEYVAULT_JWT_MASTER_KEY, KEYVAULT_JWT_MASTER_KEY_FILE and the systemd credential are not set"
        )
        if own is None:
            return MasterKeyError(
                f"there is no master key for the store {self._store}",
                why=f"{nowhere}, and the store was not made yet",
                fix="set one of them, or run `keyvault-jwt up` or `create`, which make a new store's key",
            )
        return MasterKeyError(
            f"the master key of the store {self._store} is not here",
            why=f"{nowhere}, and {own} does not exist",
            fix="put back the key that this store was made with, in that file or by one of these variables",
        )
