"""How the Transit key of a keyring and an algorithm is called, and how one version of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from ..address import Address
from ..errors import BadReference

_UNUSUAL: Final = re.compile(r"[^a-z0-9_/-]|^-", re.ASCII)
_REFERENCE: Final = re.compile(r"(.+)/([A-Za-z0-9_.-]+)#([1-9][0-9]{0,8})", re.ASCII)


def key_names(address: Address, ring: str = "") -> str:
    """Return what the names of all Transit keys of a keyring begin with, and no other key's name.

    Without a keyring, what those of every keyring in this place begin with.  The words between
    the parts are in capitals, which no part has: so each name stands for one place, keyring and
    algorithm.
    """
    place = f"{address.mount}/{address.prefix}".rstrip("/")
    escaped = _UNUSUAL.sub(lambda found: f"X{ord(found[0]):02x}", place).replace("/", ".")
    return f"{escaped}-RING-" + (f"{ring}-ALG-" if ring else "")


def key_name(address: Address, ring: str, algorithm: str) -> str:
    """Return the name of a keyring's Transit key for an algorithm."""
    return key_names(address, ring) + algorithm


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of a Transit key, as documents hold it: `MOUNT/NAME#VERSION`."""

    mount: str
    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.mount}/{self.name}#{self.version}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a reference names; raises `BadReference` if it is none."""
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise BadReference(
                "the reference to a key in Transit is malformed",
                why="it is not written MOUNT/NAME#VERSION",
                fix="see whether another program wrote the document",
            )
        return cls(found[1], found[2], int(found[3]))

    def require(self, mount: str, begins: str, algorithm: str) -> None:
        """Raise `BadReference` unless it names a key of that mount, place or keyring, and algorithm."""
        if self.mount != mount:
            raise self._elsewhere(f"it names the mount {self.mount!r}, and the store URL names {mount!r}")
        if not (self.name.startswith(begins) and self.name.endswith(f"-ALG-{algorithm}")):
            raise self._elsewhere(f"{self.name!r} is no name of an {algorithm} key of this place")

    def _elsewhere(self, why: str) -> BadReference:
        return BadReference(
            "the key is not one that this store keeps in Transit",
            why=why,
            fix="open the store by the URL under which the keyring was made",
        )
