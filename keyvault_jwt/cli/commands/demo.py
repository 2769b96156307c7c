"""`demo`: a fleet in fast time."""

from __future__ import annotations

import os
import sys
from contextlib import closing as closed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ...errors import FileUnwritable
from ...events import Event
from .. import terminal
from ..demo.count import count_document, count_lines
from ..demo.page import page
from ..demo.panorama import Panorama
from ..demo.screen import Lines, Picture, can_repaint
from ..lanes import draw
from ..looks import coloured, glyphs_for
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..signals import ending

if TYPE_CHECKING:
    from ...demo import Closing


_FIX: Final = "name a file in a directory that you may write to"
_STORE: Final = "A store to play in, such as file:./keys.  [default: a temporary one, deleted at the end]"


class _Demo(RingCommand):
    """Says of `--store` what is so here alone: the environment's store is not its default."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for option in self.params:
            if isinstance(option, click.Option) and option.name == "store":
                option.help = _STORE


@click.command("demo", cls=_Demo)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the picture there, as one page that needs nothing from elsewhere.",
)
@pass_session
def command(session: Session, html: Path | None) -> None:
    """Watch a fleet live a key's whole life, in less than a minute.

    Schedulers, signers, a JWKS server and verifiers, among them PyJWT's client and joserfc, run as
    processes of their own through five rotations, a migration to another algorithm, a scheduler
    killed, a JWKS server restarted and an emergency revocation.  The exit status is 1 if a token
    was refused that was valid, if a revoked key was accepted past its bound, if a scene is missing,
    or if a verifier judged too little to show that.

    Only --store names a store, the environment does not: without it a temporary one is used, and
    deleted; after kill -9 its directory keyvault-jwt-demo-* stays among the temporary files, and may
    be deleted by hand.  In a store that stays, the keyring stays, too, frozen.

    \b
    keyvault-jwt demo
    keyvault-jwt demo --html demo.html

    JSON: {ring, seconds, issued, verified, owed, judged_by_all, refused_though_valid,
    revoked_accepted_past_bound, unanswered, unsigned, verifiers, revocation, scenes, kept}.
    """
    from ...demo import Conductor, DemoFailed, place

    if html is not None:
        _require_writable(html)
    panorama = Panorama()
    with (
        ending() as asked,
        place(session.store_url, _Prepared(session)) as where,
        closed(_audience(session, panorama)) as audience,
    ):
        outcome = Conductor(where, audience, stopped=lambda: asked.wait(0)).play()
    _show(session, outcome, panorama, html)
    if session.store_url is not None:
        session.note(f"the keyring {where.ring} stays in {where.url}, frozen")
    if not outcome.kept:
        raise DemoFailed(
            "the demonstration broke a promise",
            why="; ".join(outcome.broken()),
            fix="run it again on an idle machine; if that happens once more, report it",
        )


class _Prepared:
    """Notes what a store of the user's own was made of; what is temporary is not worth a word."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, event: Event) -> None:
        if event.name == "store.prepared" and self._session.store_url is not None:
            self._session.note(str(event.facts["what"]))


def _audience(session: Session, panorama: Panorama) -> Lines | Picture:
    if session.as_json or not can_repaint():
        return Lines(session.note, panorama)
    return Picture(panorama)


def _show(session: Session, outcome: Closing, panorama: Panorama, html: Path | None) -> None:
    times = panorama.whole(outcome.view)
    drawing = draw(times, terminal.width(), glyphs_for(sys.stdout))
    picture = [coloured(line, sys.stdout) for line in drawing]
    session.show(count_document(outcome), [*picture, "", *count_lines(outcome)])
    if html is not None:
        _write(html, page(outcome, times))
        session.note(f"the picture is in {html}")


def _require_writable(path: Path) -> None:
    """Raise `PageUnwritable` now rather than after the play; leaves nothing behind."""
    from ...demo import PageUnwritable

    try:
        path.open("xb").close()
        path.unlink()
    except FileExistsError:
        if os.access(path, os.W_OK):
            return
        why = "it is there, and closed to this user"
    except OSError as failure:
        why = os.strerror(failure.errno or 0)
    else:
        return
    raise PageUnwritable(f"can't write {path}", why=why, fix=_FIX)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        why = os.strerror(failure.errno or 0)
        raise FileUnwritable(f"could not write {path}", why=why, fix=_FIX) from None
