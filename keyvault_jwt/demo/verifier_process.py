"""A verifier: takes tokens in over HTTP, and gives its verdict on each more than once."""

from __future__ import annotations

import queue
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ..clock import SystemClock
from .client import Client, NoAnswer, Refused
from .doorway import Doorway
from .joserfc_client import JoserfcClient
from .messages import VERIFIER_PART, Library, Occasion, Order, Ready, Unanswered, Verdict, VerifierPart, Watch
from .notebook import Look, Notebook
from .our_client import OurClient
from .pyjwt_client import PyJWTClient
from .station import Station
from .ticket import Ticket

_CLIENTS: Final = MappingProxyType[Library, Callable[[VerifierPart], Client]](
    {Library.OURS: OurClient, Library.PYJWT: PyJWTClient, Library.JOSERFC: JoserfcClient}
)
_Inbox = queue.SimpleQueue[Ticket | Order]


def run(station: Station) -> None:
    """Verify until the pipe closes."""
    part = station.part(VERIFIER_PART)
    client = _CLIENTS[part.library](part)
    inbox: _Inbox = queue.SimpleQueue()
    station.attend(inbox.put)
    doorway = Doorway(part.door, inbox.put)
    doorway.open()
    station.tell(Ready(doorway.address))
    _judge(station, client, inbox)


def _judge(station: Station, client: Client, inbox: _Inbox) -> None:
    notebook, clock = Notebook(), SystemClock()
    while True:
        try:
            news = inbox.get(timeout=notebook.rest(clock.wall()) / 1000)
        except queue.Empty:
            pass
        else:
            _note(notebook, news, clock.wall())
        while inbox.empty() and (look := notebook.due(clock.wall())) is not None:
            report = _verdict(client, look, clock)
            station.tell(report)
            accepted = report.accepted if isinstance(report, Verdict) else None
            notebook.looked(look, clock.wall(), accepted=accepted)


def _note(notebook: Notebook, news: Ticket | Order, now: int) -> None:
    if isinstance(news, Ticket):
        notebook.take(news, now)
    elif isinstance(news, Watch):
        notebook.watch(news.kid, now)


def _verdict(client: Client, look: Look, clock: SystemClock) -> Verdict | Unanswered:
    ticket = look.ticket
    whole = look.occasion is not Occasion.SIGNATURE
    began, reason = clock.wall(), ""
    try:
        (client.verify if whole else client.verify_signature)(ticket.token)
    except NoAnswer as failed:
        return Unanswered(str(failed))
    except Refused as refused:
        reason = str(refused)
    return Verdict(
        kid=ticket.kid,
        jti=ticket.jti,
        expires=ticket.expires,
        began=began,
        ended=clock.wall(),
        accepted=not reason,
        occasion=look.occasion,
        reason=reason,
    )
