"""A place whose processes are spread over the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyvault_jwt.demo.place import Place


@dataclass(frozen=True)
class SpreadPlace(Place):
    """A place whose processes ask different nodes, each always the same one, and log in by their parts."""

    nodes: Iterator[str]
    logins: Mapping[str, Mapping[str, str]]

    def environment(self, role: str) -> Mapping[str, str]:
        """Return what a process of this role may know; a verifier knows of no node."""
        known = Place.environment(self, role)
        if role == "verifier":
            return known
        return {**known, **self.logins[role], "BAO_ADDR": next(self.nodes)}
