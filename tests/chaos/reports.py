"""What a scheduler reports of its writes and of what it won, beside what every member reports."""

from __future__ import annotations

from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from keyvault_jwt.demo.messages import Report

WON: Final = "won"


class Sent(msgspec.Struct, frozen=True, tag=True):
    """A write is about to be sent; `promotes` says that it makes another key the signing one."""

    ring: str
    kind: str
    revision: int
    write_id: UUID
    promotes: bool


class Answered(msgspec.Struct, frozen=True, tag=True):
    """What came of it: `WON`, or the code of the store's error."""

    ring: str
    kind: str
    revision: int
    write_id: UUID
    outcome: str


class Claimed(msgspec.Struct, frozen=True, tag=True):
    """A finished pass says that it wrote this entry of the ledger."""

    ring: str
    seq: int
    action: str
    kid: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A pass or a listing failed with this code."""

    code: str


SchedulerReport: TypeAlias = Sent | Answered | Claimed | Failed
REPORTS: Final = msgspec.json.Decoder(Report | SchedulerReport)
