"""A fleet in fast time: a key's whole life in seconds, played by separate processes over HTTP.

Needs the `demo` extra; a `Conductor` without it raises `MissingExtra`.
"""

from __future__ import annotations

from .acts import PLAY, TRIES
from .audience import Audience, View
from .cast import Cast, VerifierRole
from .closing import JUDGED, ROUTINE, Closing, Scene
from .conductor import Conductor
from .errors import DemoFailed, MemberLost, PageUnwritable
from .messages import Library
from .place import Place, place

__all__ = [
    "JUDGED",
    "PLAY",
    "ROUTINE",
    "TRIES",
    "Audience",
    "Cast",
    "Closing",
    "Conductor",
    "DemoFailed",
    "Library",
    "MemberLost",
    "PageUnwritable",
    "Place",
    "Scene",
    "VerifierRole",
    "View",
    "place",
]
