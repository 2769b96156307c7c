"""Generation: what a verifier found out under one generation of the key set, dropped with it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from .claims import Claims, Validity, parse_claims
from .keyset import BoundKey, KeySet

LONGEST_TOKEN: Final = 8_192
"""Characters of the longest token that is remembered: what many of them take is to be foreseen."""
_MAX_HEADERS: Final = 256
_CHANGEABLE: Final = (dict, list)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a good token said, and between which instants its times hold.

    `said` are the claims, unless one of them could be changed by whoever is handed it: then it is
    the payload, which is read anew each time.
    """

    validity: Validity
    said: Claims | bytes = field(repr=False)

    def handed_out(self) -> Claims:
        """Return the claims as a dict of the caller's own."""
        said = self.said
        return parse_claims(said) if isinstance(said, bytes) else said.copy()


class Generation:
    """The headers of good tokens with the key that each means, and good tokens, by their exact bytes.

    Nothing in it was made up by a stranger.  Thread-safe and fork-safe: each change is one step
    to other threads, so there is no lock that a fork could leave locked.
    """

    __slots__ = ("headers", "keys", "tokens")

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys
        self.headers: OrderedDict[bytes, BoundKey] = OrderedDict()
        self.tokens: OrderedDict[str | bytes, Remembered] = OrderedDict()

    def note_header(self, segment: bytes, key: BoundKey) -> None:
        """Note the key of a header that a good token bore; the oldest of 256 makes room."""
        _note(self.headers, segment, key, _MAX_HEADERS)

    def note_token(
        self, token: str | bytes, payload: bytes, claims: Claims, validity: Validity, *, most: int
    ) -> None:
        """Note a token whose signature and claims are good, unless it is very long.

        The oldest of `most` makes room.
        """
        if len(token) > LONGEST_TOKEN:
            return
        changeable = any(isinstance(value, _CHANGEABLE) for value in claims.values())
        _note(self.tokens, token, Remembered(validity, payload if changeable else claims.copy()), most)


def _note(table: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    table[key] = value
    if len(table) > most:
        table.popitem(last=False)
