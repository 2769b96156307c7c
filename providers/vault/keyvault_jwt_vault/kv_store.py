"""`vault://MOUNT/PREFIX`: documents in a KV version 2 mount of HashiCorp Vault or OpenBao.

    MOUNT/data/PREFIX/RING/authority      MOUNT/data/PREFIX/RING/public
    MOUNT/data/PREFIX/RING/signing        MOUNT/data/PREFIX/RING/verification
    MOUNT/data/PREFIX/RING/archive-N

A policy grants each role its own paths.  Of a private document the server keeps one version and
no history: the write that drops a private half destroys the version that held it, so that no
crash can come between.  What is public keeps the mount's history.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final, Self

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import Conflict, DocumentTooLarge, StoreDenied
from keyvault_jwt.store import DocumentName, Draft, Limits, Version, Versioned

from .active_node import ActiveNode
from .answer import Answer
from .errors import ServerFailed
from .kept_form import draft_of, kept_form
from .mount import Mount
from .path_name import document_path, named, ring_of
from .session import Session

LIMITS: Final = Limits(document_bytes=780_000)
"""Caps: in base64 it fits, with what the server adds, into raft's entry of 1 MiB (`max_entry_size`)."""

_COUNT: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_ONE_VERSION: Final = {"cas_required": True, "max_versions": 1}


class VaultStore:
    """Documents by check-and-set; thread-safe and fork-safe.

    The mount is looked at before the first request of each process.
    """

    def __init__(self, session: Session, *, limits: Limits = LIMITS) -> None:
        self._session = session
        self._address = session.address
        self._limits = limits
        self._active = ActiveNode(session)
        self._mount = Mount(session, self._active)

    def __repr__(self) -> str:
        return f"VaultStore({self._address.mount!r}, {self._address.prefix!r}, {self._session!r})"

    @property
    def active_node(self) -> ActiveNode:
        """What asks the active node, for what else is in the server; the mount is looked at before."""
        self._mount.require_versioned()
        return self._active

    @property
    def staleness(self) -> Milliseconds:
        """S, as the store URL declares it; 0 if the active node is asked."""
        return self._address.staleness or 0

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._limits

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document; None if there is none, or its last version was deleted or destroyed.

        Raises `StoreError`s, and `DocumentError`s that carry the version.
        """
        answer = self._look(name)
        if answer.status == 404:
            return None
        version = _version(name, _metadata(answer))
        return Versioned(draft_of(name, answer.data.get("data"), version), version)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected` (None: only if absent).

        Raises `Conflict`; `StoreDenied`, `StoreUnavailable` and `DocumentTooLarge` with nothing
        replaced; `StoreTimeout` when that is not known.
        """
        self._require_room(name, draft)
        self._mount.require_versioned()
        if expected is not None:
            return self._written(name, self._write(name, draft, _number(expected)))
        if name.kind.is_private:
            self._active.write(self._path("metadata", name), _ONE_VERSION, repeatable=True)
        answer = self._write(name, draft, 0)
        if answer.status == 400:
            # A path whose last version was deleted counts on from there.
            there = self._look(name)
            if there.status == 404 and _metadata(there):
                last = _version(name, _metadata(there))
                return self._written(name, self._write(name, draft, _number(last)))
        return self._written(name, answer)

    def names(self) -> list[DocumentName]:
        """Return the name of every document; keyrings closed to this token are left out."""
        self._mount.require_versioned()
        found = []
        for entry in self._list(self._address.path()):
            ring = ring_of(entry)
            if ring is not None:
                found += [named(ring, leaf) for leaf in self._leaves(ring)]
        return sorted(name for name in found if name is not None)

    def purge(self, name: DocumentName, *, before: Version) -> None:
        """Destroy every version of `name` older than `before`, and let none be kept from now on.

        A private document that this store made keeps none.  This is for one whose path somebody
        else made or set to keep a history.  Raises `StoreError`s; repeating it does no harm.
        """
        self._mount.require_versioned()
        self._active.write(self._path("metadata", name), _ONE_VERSION, repeatable=True)
        told = self._active.read("GET", self._path("metadata", name)).data.get("versions")
        kept = [int(number) for number in told if _COUNT.fullmatch(number)] if isinstance(told, dict) else []
        old = [number for number in kept if number < _number(before)]
        if old:
            body = {"versions": old}
            self._active.write(self._path("destroy", name), body, repeatable=True)

    def close(self) -> None:
        """Revoke what was logged in for and close the connections; the store answers no more."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self, name: DocumentName) -> Answer:
        self._mount.require_versioned()
        return self._active.read("GET", self._path("data", name))

    def _write(self, name: DocumentName, draft: Draft, number: int) -> Answer:
        body = {"data": kept_form(draft), "options": {"cas": number}}
        return self._active.write(self._path("data", name), body)

    def _written(self, name: DocumentName, answer: Answer) -> Version:
        if answer.status == 200:
            return _version(name, answer.data)
        if answer.status == 400 and "check-and-set" in answer.errors and "match" in answer.errors:
            raise Conflict(
                f"{name} is not as it was read",
                why="another writer was first, or it is gone",
                fix="read it again and decide again",
            )
        raise ServerFailed(
            f"Vault refuses to write {name}",
            why=f"it answered {answer.status} {answer.errors}".strip(),
            fix="check that the mount is KV version 2, and its configuration",
        )

    def _leaves(self, ring: str) -> list[str]:
        try:
            return self._list(self._address.path(ring))
        except StoreDenied:
            return []

    def _list(self, path: str) -> list[str]:
        where = f"{self._address.mount}/metadata/{path}".rstrip("/") + "/"
        answer = self._active.read("LIST", where)
        keys = answer.data.get("keys") if answer.status == 200 else None
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []

    def _path(self, endpoint: str, name: DocumentName) -> str:
        return f"{self._address.mount}/{endpoint}/{document_path(self._address, name)}"

    def _require_room(self, name: DocumentName, draft: Draft) -> None:
        if not 0 <= draft.revision < 2**63:
            raise ValueError("a revision is a number from 0 to 2^63 - 1")
        if len(draft.data) > self._limits.document_bytes:
            raise DocumentTooLarge(
                f"{name} has {len(draft.data)} bytes",
                why=f"this store takes at most {self._limits.document_bytes}; nothing was written",
                fix="let `reconcile` archive old keys and events",
            )


def _metadata(answer: Answer) -> dict[str, Any]:
    metadata = answer.data.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _version(name: DocumentName, metadata: Any) -> Version:
    """Return the version's number and date: after a path was deleted whole, numbers begin again."""
    number, made = metadata.get("version"), metadata.get("created_time")
    if not isinstance(number, int) or not isinstance(made, str):
        raise ServerFailed(
            f"Vault tells no version of {name}",
            why="its answer lacks version or created_time",
            fix="check that the mount is KV version 2",
        )
    return Version(f"{number} {made}")


def _number(version: Version) -> int:
    return int(version.split(" ", 1)[0])
