"""A keyring moves from Vault to Secrets Manager and back, with every kid, date and entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

import keyvault_jwt as kj
from keyvault_jwt import archiving
from keyvault_jwt.keys import KeyState
from keyvault_jwt.ledger import Entry
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_server import BaoServer
from tests.aws.copy.conftest import ISSUER, RING, CommandLine
from tests.faulty_store import FAST

LONG_AGO = 10**12
"""No date is before; durations are shorter."""


@dataclass(frozen=True)
class Past:
    """What a store knows of a keyring, archives included: its keys by kid, and its ledger."""

    records: dict[str, dict[str, Any]]
    entries: list[Entry]
    archives: int


def past(url: str) -> Past:
    """Read everything that a store has of the keyring, and check that the ledger's chain is whole."""
    with kj.KeyManager(kj.open_store(url), listener=lambda event: None) as manager:
        keyring = manager.keyring(RING)
        records, entries = list(keyring.records), list[Entry]()
        for ref in keyring.archives:
            name = DocumentName(RING, DocumentKind.ARCHIVE, ref.number)
            archive = archiving.opened(RING, ref, manager.store.read(name))
            assert archive is not None
            records += archive.records
            entries += archive.entries
        keyring.ledger.verify()
    entries = sorted([*entries, *keyring.ledger.entries], key=lambda entry: entry.seq)
    assert [entry.seq for entry in entries] == list(range(1, keyring.ledger.next_seq))
    facts = {record.kid: msgspec.structs.asdict(record) for record in records}
    assert len(facts) == len(records)
    return Past(facts, entries, len(keyring.archives))


def require_continued(before: Past, after: Past) -> None:
    """Fail unless every entry is where it was, and every key of the past is the same one with its dates."""
    assert after.entries[: len(before.entries)] == before.entries
    assert after.records.keys() >= before.records.keys()
    for kid, was in before.records.items():
        now = after.records[kid]
        dates = {name: it for name, it in was.items() if isinstance(it, int) and it > LONG_AGO}
        assert {name: now[name] for name in dates} == dates
        if was["state"] is KeyState.DESTROYED:
            assert now == was


def test_there_and_back(old_keyring: str, aws_url: str, command_line: CommandLine) -> None:
    """Archives, tombstones, a revoked key and the ledger arrive; the source is frozen; tokens go on."""
    before = past(old_keyring)
    assert sum(record["state"] is KeyState.DESTROYED for record in before.records.values()) > 30
    done = command_line("--store", old_keyring, "copy", RING, "--to", aws_url)
    assert done.returncode == 0, done.stderr
    assert f"{RING} is frozen in {old_keyring}" in done.stderr
    there = past(aws_url)
    require_continued(before, there)
    assert there.archives > 0
    refused = command_line("--store", old_keyring, "rotate", RING)
    assert refused.returncode != 0
    assert "frozen" in refused.stderr
    assert command_line("--store", aws_url, "reconcile", RING).returncode == 0
    meanwhile = past(aws_url)
    back = command_line("--store", aws_url, "copy", RING, "--to", old_keyring)
    assert back.returncode == 0, back.stderr
    again = past(old_keyring)
    require_continued(before, again)
    require_continued(meanwhile, again)
    signed = command_line("--store", old_keyring, "token", "sign", RING, "--sub", "u1", "--aud", "api")
    assert signed.returncode == 0, signed.stderr


def test_a_target_with_another_keyring(old_keyring: str, aws_url: str, command_line: CommandLine) -> None:
    """A place that holds a keyring of that name keeps it, and the source is not frozen."""
    with kj.KeyManager(kj.open_store(aws_url)) as manager:
        manager.create(RING, FAST, issuer=ISSUER)
        there = manager.keyring(RING)
        refused = command_line("--store", old_keyring, "copy", RING, "--to", aws_url)
        assert refused.returncode == 1, refused.stderr
        assert "already in the target store" in refused.stderr
        assert manager.keyring(RING) == there
    assert command_line("--store", old_keyring, "reconcile", RING).returncode == 0


def test_a_target_that_sustains_fewer_writes(
    old_keyring: str, aws_url: str, command_line: CommandLine
) -> None:
    """A policy that Secrets Manager can't keep up with is refused with the numbers; nothing is frozen."""
    url = aws_url.replace("&quota=off&staleness=0", "")
    refused = command_line("--store", old_keyring, "copy", RING, "--to", url)
    assert refused.returncode == 3, refused.stderr
    assert "rotate_every" in refused.stderr
    assert command_line("--store", old_keyring, "reconcile", RING).returncode == 0


def test_keys_that_stay_in_transit(
    vault_url: str, aws_url: str, command_line: CommandLine, bao: BaoServer
) -> None:
    """Halves that a remote signer keeps can't be copied: it is said so, and the source is not frozen."""
    bao.request("POST", "sys/mounts/transit", {"type": "transit"})
    url = f"{vault_url}?transit=transit"
    with kj.KeyManager(kj.open_store(url)) as manager:
        manager.create(RING, FAST, issuer=ISSUER)
    refused = command_line("--store", url, "copy", RING, "--to", aws_url)
    assert refused.returncode == 1, refused.stderr
    assert "key_refused" in refused.stderr or "remote" in refused.stderr
    assert command_line("--store", url, "reconcile", RING).returncode == 0
