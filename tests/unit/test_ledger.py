"""The ledger: a chain in which every change to the past shows."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.errors import CorruptDocument
from keyvault_jwt.ledger import GENESIS, Entry, Ledger, check_chain

LENGTH = 5


def ledger_of(length: int) -> Ledger:
    """Return a ledger of so many entries."""
    ledger = Ledger()
    for number in range(1, length + 1):
        ledger = ledger.append(
            1000 * number, f"action-{number}", kid=f"kid-{number}", detail=f"detail-{number}"
        )
    return ledger


def with_entries(ledger: Ledger, *entries: Entry, **changes: Any) -> Ledger:
    """Return the ledger with other entries."""
    return msgspec.structs.replace(ledger, entries=entries, **changes)


def refused(ledger: Ledger) -> CorruptDocument:
    """Return the refusal of a ledger, and check what every refusal has."""
    with pytest.raises(CorruptDocument, match="the ledger's chain is broken at entry") as caught:
        ledger.verify()
    assert caught.value.code == "document_corrupt"
    assert "altered, removed or reordered" in caught.value.why
    assert "recover" in caught.value.fix
    return caught.value


def rechained(ledger: Ledger, *entries: Entry) -> Ledger:
    """Return the ledger with these entries chained anew, as a forger without the old hashes would."""
    forged = Ledger(base=ledger.base, next_seq=entries[0].seq if entries else ledger.next_seq)
    for entry in entries:
        forged = forged.append(entry.at, entry.action, kid=entry.kid, detail=entry.detail)
    return forged


def test_an_empty_ledger_is_whole() -> None:
    """It begins at the genesis hash, and its first entry has number 1."""
    ledger = Ledger()
    ledger.verify()
    assert (ledger.head, ledger.next_seq, ledger.entries) == (GENESIS, 1, ())
    assert GENESIS == "0" * 64
    check_chain("anything", ())


def test_the_hash_is_over_what_the_format_says() -> None:
    """SHA-256 over the JSON array of the hash before, seq, at, action, kid and detail."""
    ledger = Ledger()
    for seq, (at, kid, detail) in enumerate(
        [(5, "", ""), (7, "k\u00e9", 'with "quotes"'), (6, "k", "")], start=1
    ):
        facts = [ledger.head, seq, at, "rotate", kid, detail]
        line = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
        ledger = ledger.append(at, "rotate", kid=kid, detail=detail)
        assert ledger.head == hashlib.sha256(line.encode()).hexdigest()
    ledger.verify()


def test_appending_leaves_the_ledger_before_as_it_was() -> None:
    """A ledger is a value: two may go on from one."""
    before = ledger_of(2)
    one, two = before.append(9, "one"), before.append(9, "two")
    assert len(before.entries) == 2
    assert one.entries[:2] == two.entries[:2] == before.entries
    assert one.head != two.head
    assert [entry.seq for entry in one.entries] == [1, 2, 3]


@pytest.mark.parametrize("position", range(LENGTH))
@pytest.mark.parametrize(
    "change",
    [
        {"seq": 99},
        {"at": 1},
        {"action": "other"},
        {"kid": ""},
        {"detail": "other"},
        {"hash": "f" * 64},
        {"hash": ""},
    ],
    ids=lambda change: "-".join(map(str, change)) + f"-{len(str(*change.values()))}",
)
def test_an_altered_entry_shows(position: int, change: dict[str, Any]) -> None:
    """Whichever member of whichever entry is changed, the chain breaks at that entry."""
    ledger = ledger_of(LENGTH)
    entries = list(ledger.entries)
    entries[position] = msgspec.structs.replace(entries[position], **change)
    at_seq = change.get("seq", position + 1)
    expected = {at_seq, position + 2} if at_seq == 99 else {at_seq}
    error = refused(with_entries(ledger, *entries))
    assert int(error.what.rpartition(" ")[2]) in expected


@pytest.mark.parametrize("position", range(LENGTH))
def test_a_removed_entry_shows(position: int) -> None:
    """The first, the last or one between: its absence breaks the chain or the count."""
    ledger = ledger_of(LENGTH)
    left = [entry for number, entry in enumerate(ledger.entries) if number != position]
    refused(with_entries(ledger, *left))


@pytest.mark.parametrize("kept", range(LENGTH))
def test_a_cut_ledger_shows(kept: int) -> None:
    """Entries removed from the end on, down to none, or from the beginning on."""
    ledger = ledger_of(LENGTH)
    refused(with_entries(ledger, *ledger.entries[:kept]))
    refused(with_entries(ledger, *ledger.entries[LENGTH - kept :]))


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))][1:])
def test_reordered_entries_show(order: tuple[int, ...]) -> None:
    """No order but the one of writing is accepted."""
    ledger = ledger_of(4)
    refused(with_entries(ledger, *(ledger.entries[number] for number in order)))


@pytest.mark.parametrize("position", range(LENGTH))
def test_a_repeated_or_foreign_entry_shows(position: int) -> None:
    """An entry twice, or another ledger's in its place or beside it."""
    ledger, other = ledger_of(LENGTH), Ledger()
    for number in range(1, LENGTH + 1):
        other = other.append(number, "foreign")
    entries = list(ledger.entries)
    refused(with_entries(ledger, *entries[: position + 1], *entries[position:]))
    refused(with_entries(ledger, *entries[:position], other.entries[position], *entries[position + 1 :]))
    refused(with_entries(ledger, *entries[:position], other.entries[position], *entries[position:]))


def test_another_base_shows() -> None:
    """The entries follow from one hash alone."""
    ledger = ledger_of(2)
    refused(msgspec.structs.replace(ledger, base="f" * 64))
    refused(msgspec.structs.replace(ledger.without_first(1), base=GENESIS))


def test_another_count_shows() -> None:
    """`next_seq` says how many there ever were; with entries or none it must agree with them."""
    for ledger in (ledger_of(2), Ledger()):
        for by in (-1, 1, 5):
            refused(msgspec.structs.replace(ledger, next_seq=ledger.next_seq + by))


def test_entries_rechained_without_the_one_before_show() -> None:
    """Hashes computed anew for the rest do not hide a removed entry: its number is missing."""
    ledger = ledger_of(LENGTH)
    shorter = rechained(ledger, *ledger.entries[1:])
    assert shorter.next_seq == ledger.next_seq
    refused(shorter)


@pytest.mark.parametrize("count", range(LENGTH + 1))
def test_the_chain_goes_on_after_entries_moved_out(count: int) -> None:
    """What stays follows from the last entry that left, and what left checks by itself."""
    ledger = ledger_of(LENGTH)
    left = ledger.without_first(count)
    left.verify()
    assert (left.head, left.next_seq) == (ledger.head, ledger.next_seq)
    check_chain(ledger.base, ledger.entries[:count])
    check_chain(left.base, ledger.entries[count:])
    assert left.append(9, "next").head == ledger.append(9, "next").head
    left.append(9, "next").verify()


def test_moving_nothing_out_changes_nothing() -> None:
    """Not even the object."""
    ledger = ledger_of(2)
    assert ledger.without_first(0) is ledger


FACTS = st.tuples(st.integers(0, 2**53), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))


@given(FACTS, FACTS)
def test_different_facts_have_different_hashes(one: tuple[Any, ...], two: tuple[Any, ...]) -> None:
    """No text can be moved from one member to the next without the hash changing."""
    heads = [
        Ledger().append(at, action, kid=kid, detail=detail).head for at, action, kid, detail in (one, two)
    ]
    assert (heads[0] == heads[1]) == (one == two)


@given(st.lists(FACTS, max_size=8), st.data())
def test_stored_ledgers_come_back(facts: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Any ledger verifies, also after JSON and after any part of it moved out."""
    ledger = Ledger()
    for at, action, kid, detail in facts:
        ledger = ledger.append(at, action, kid=kid, detail=detail)
    left = ledger.without_first(data.draw(st.integers(0, len(facts))))
    back = msgspec.json.decode(msgspec.json.encode(left), type=Ledger)
    back.verify()
    assert back == left
