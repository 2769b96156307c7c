"""Processes of the fleet: heard, ordered, killed, and missed when they end by themselves."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyvault_jwt.demo.errors import MemberLost
from keyvault_jwt.demo.member import Inbox, Member
from keyvault_jwt.demo.messages import Awake, Left, Library, Ready, ServerPart, VerifierPart

Start = Callable[[str], Member]
VERIFIER = VerifierPart(
    Library.OURS, "http://127.0.0.1:9/", "https://id.example", "api", ("ES256",), 1.0, 100, "/door"
)


@pytest.fixture
def inbox() -> Inbox:
    return queue.SimpleQueue()


@pytest.fixture
def start(inbox: Inbox, tmp_path: Path) -> Iterator[Start]:
    """Start a member that ends with the test."""
    members: list[Member] = []

    def begin(role: str) -> Member:
        remarks = tmp_path / f"remarks-{len(members)}"
        member = Member(f"{role}-1", role, inbox, environment=dict(os.environ), remarks=remarks)
        members.append(member)
        return member

    yield begin
    for member in members:
        member.close()


def test_a_member_wakes_takes_its_part_and_says_where_it_listens(start: Start, inbox: Inbox) -> None:
    """Its reports carry its name; it ends when it is dismissed, by itself and in order."""
    member = start("verifier")
    assert inbox.get(timeout=60) == (member, Awake())
    member.begin(VERIFIER)
    _, report = inbox.get(timeout=60)
    assert isinstance(report, Ready)
    assert report.address is not None
    member.dismiss()
    assert inbox.get(timeout=60) == (member, Left())
    member.close(30)
    assert member.status == 0
    assert member.expected_to_end


def test_a_member_that_is_killed_was_expected_to_end(start: Start, inbox: Inbox) -> None:
    """An order to it is lost without a word."""
    member = start("scheduler")
    inbox.get(timeout=60)
    member.kill()
    assert inbox.get(timeout=60) == (member, Left())
    assert member.expected_to_end
    member.begin(VERIFIER)


def test_a_member_that_fails_is_told_with_its_last_words(start: Start, inbox: Inbox, tmp_path: Path) -> None:
    """A part that it can't play ends it, and the error quotes what it wrote last."""
    member = start("server")
    inbox.get(timeout=60)
    member.begin(ServerPart("nonsense:", "payments"))
    assert inbox.get(timeout=60) == (member, Left())
    assert not member.expected_to_end
    assert "BadStoreURL" in member.lost().why
    with pytest.raises(MemberLost, match="server-1"):
        member.kill()


def test_a_member_that_left_no_words_is_told_with_its_signal(start: Start, inbox: Inbox) -> None:
    """Somebody else's SIGKILL, and a crash in native code, are named by what ended it."""
    member = start("scheduler")
    inbox.get(timeout=60)
    os.kill(member.pid, signal.SIGKILL)
    assert inbox.get(timeout=60) == (member, Left())
    assert member.lost().why == "by SIGKILL"
