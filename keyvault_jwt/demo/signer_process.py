"""A signer: signs under its lease, and carries each token to every verifier over HTTP."""

from __future__ import annotations

import threading
import uuid
from typing import Final

from ..clock import SystemClock
from ..errors import KeyvaultJWTError
from ..signer import Signer
from ..store_url import open_store
from .courier import Courier
from .messages import SIGNER_PART, Issued, Order, Ready, Stop, Unsigned
from .station import Station
from .ticket import ticket_of

SUBJECT: Final = "somebody"


def run(station: Station) -> None:
    """Sign until told to stop, and carry what was signed until the pipe closes."""
    part = station.part(SIGNER_PART)
    stopped = threading.Event()
    station.attend(lambda order: _take(order, stopped))
    couriers = [Courier(address, part.door, SystemClock()) for address in part.verifiers]
    with Signer(open_store(part.store), part.ring) as signer:
        station.tell(Ready())
        while not stopped.wait(part.every / 1000):
            _sign(station, signer, part.audience, couriers)
    threading.Event().wait()


def _take(order: Order, stopped: threading.Event) -> None:
    if isinstance(order, Stop):
        stopped.set()


def _sign(station: Station, signer: Signer, audience: str, couriers: list[Courier]) -> None:
    try:
        token = signer.sign({"sub": SUBJECT, "aud": audience, "jti": uuid.uuid4().hex})
    except KeyvaultJWTError as refused:
        station.tell(Unsigned(refused.code))
        return
    ticket = ticket_of(token)
    station.tell(Issued(ticket.kid, ticket.jti, ticket.expires))
    for courier in couriers:
        courier.carry(ticket)
