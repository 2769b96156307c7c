"""Which Transit mount a store URL names, and a way to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from keyvault_jwt.errors import BadStoreURL

from ..answer import Answer
from ..errors import WrongPlace
from ..kv_store import VaultStore

_MOUNT: Final = re.compile(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*", re.ASCII)


def transit_mount(parameters: dict[str, str]) -> str | None:
    """Take `transit` out of a store URL's parameters and return the mount it names, if any.

    Raises `BadStoreURL` for one that can't be a mount.
    """
    if "transit" not in parameters:
        return None
    mount = parameters.pop("transit").strip("/")
    if not _MOUNT.fullmatch(mount) or any(set(part) == {"."} for part in mount.split("/")):
        raise BadStoreURL(
            "the vault store URL names no Transit mount",
            why="its option transit is empty or has other characters than A-Z a-z 0-9 _ . ~ - /",
            fix="write it like vault://secret/jwt?transit=transit",
        )
    return mount


class TransitMount:
    """A mount of the Transit engine, asked through the active node: standbys may not know a version yet."""

    def __init__(self, store: VaultStore, mount: str) -> None:
        self._store, self.name = store, mount

    def __repr__(self) -> str:
        return f"TransitMount({self.name!r})"

    def read(self, path: str) -> Answer:
        """Return the answer to GET below the mount, of status 200 or 404."""
        return self._engines(path, self._store.active_node.read("GET", f"{self.name}/{path}"))

    def write(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Return the answer to a POST below the mount, of status 200, 204, 400 or 404.

        It may be carried out twice, which does no harm to anything that is asked of Transit here.
        """
        answer = self._store.active_node.write(f"{self.name}/{path}", body, repeatable=True)
        return self._engines(path, answer)

    def _engines(self, path: str, answer: Answer) -> Answer:
        """Return an answer of the Transit engine; another engine's 404 explains itself in warnings."""
        if answer.status == 404 and answer.body.get("warnings"):
            raise WrongPlace(
                f"{self.name!r} is no Transit mount",
                why=f"what is mounted there does not know {path!r}",
                fix="name the Transit mount in the store URL: ?transit=MOUNT",
            )
        return answer
