"""The whole page."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ...clock import iso
from ..alarm_book import Alarm
from .keyring_section import keyring_section
from .snapshot import Snapshot
from .style import CSS
from .wording import length, moment, text

MOST_KEYRINGS: Final = 50
"""How many keyrings are drawn at once; those that are not served come first."""
_REFRESH: Final = (2, 30)
"""The page loads itself anew after so many seconds, at least and at most: as fast as keys can change."""


def page(snapshot: Snapshot) -> str:
    """Return the page as HTML; every value in it is escaped."""
    count, serving = len(snapshot.statuses), sum(status.serving for status in snapshot.statuses)
    chosen = sorted(snapshot.statuses, key=lambda status: (status.serving, status.ring))[:MOST_KEYRINGS]
    sections = "".join(
        keyring_section(status, snapshot.plans.get(status.ring), snapshot.now) for status in chosen
    )
    more = "" if count <= MOST_KEYRINGS else _more(count - MOST_KEYRINGS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{_refresh(snapshot)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>keyvault-jwt: {count} keyrings</title><style>{CSS}</style></head><body>"
        f"<header><h1>keyvault-jwt</h1><span>{serving} of {count} keyrings served</span>"
        f'<span class="dim">{iso(snapshot.now)}</span></header>'
        f"<main>{_alarms(snapshot)}{sections or _nothing()}{more}{_verifiers(snapshot)}</main></body></html>"
    )


def _nothing() -> str:
    return '<section><p class="dim">no keyring yet: make one with <code>create</code></p></section>'


def _more(count: int) -> str:
    return f'<p class="dim">and {count} more; name one in the address: <code>/?ring=NAME</code></p>'


def _refresh(snapshot: Snapshot) -> int:
    polls = [s.published.document.policy.publisher_poll for s in snapshot.statuses if s.published is not None]
    least, most = _REFRESH
    return min(most, max(least, min(polls, default=timedelta(0)) // timedelta(seconds=1)))


def _alarms(snapshot: Snapshot) -> str:
    if not snapshot.alarms:
        return ""
    rows = "".join(_alarm(alarm, snapshot.now) for alarm in snapshot.alarms)
    return (
        '<section class="alarms"><header><h2>Alarms</h2></header>'
        f"<table><tbody>{rows}</tbody></table></section>"
    )


def _alarm(alarm: Alarm, now: int) -> str:
    facts = " ".join(f"{name}={value}" for name, value in alarm.event.facts.items())
    times = f" &times; {alarm.count}" if alarm.count > 1 else ""
    return (
        f'<tr><td>{moment(alarm.last, now)}{times}</td><td class="bad">{text(alarm.event.name)}</td>'
        f'<td>{text(alarm.event.ring)}</td><td class="wide">{text(facts)}</td></tr>'
    )


def _verifiers(snapshot: Snapshot) -> str:
    if not snapshot.verifiers:
        return ""
    ages = [length(snapshot.now - sighting.at) for sighting in snapshot.verifiers[:1]]
    return (
        f'<p class="dim">{len(snapshot.verifiers)} verifiers seen, the last {ages[0]} ago: '
        '<a href="/verifiers">which set each holds</a>; <a href="/metrics">metrics</a></p>'
    )
