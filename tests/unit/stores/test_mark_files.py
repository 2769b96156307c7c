"""Marks on disk rise only, whoever saves them, and a spoilt one is never taken for none."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from keyvault_jwt.errors import BadRingName, CorruptDocument, ForeignDocument, NewerSchema
from keyvault_jwt.marks import Mark
from keyvault_jwt.stores.mark_files import MarkFiles

MARK = Mark(
    1_800_000_000_000,
    7,
    uuid4(),
    frozenset({"kid-a", "kid-b"}),
    usable=frozenset({"kid-x", "kid-y"}),
    verifying=frozenset({"kid-w"}),
)


@pytest.fixture
def marks(tmp_path: Path) -> MarkFiles:
    """Marks of one source."""
    return MarkFiles(tmp_path / "state", "file:/keys")


@pytest.fixture
def file(marks: MarkFiles) -> Path:
    """The file of a saved mark."""
    marks.save("payments", MARK)
    return marks.path / "payments.json"


def test_survives_a_restart(marks: MarkFiles, tmp_path: Path) -> None:
    """A saved mark is there for the next process; before it there is none, and nothing was made."""
    assert marks.load("payments") is None
    assert not (tmp_path / "state").exists()
    assert marks.save("payments", MARK) == MARK
    assert MarkFiles(tmp_path / "state", "file:/keys").load("payments") == MARK


def test_sources_and_rings_are_apart(marks: MarkFiles, tmp_path: Path, file: Path) -> None:
    """The same keyring name in another store, and another keyring here, have marks of their own."""
    assert MarkFiles(tmp_path / "state", "file:/other").load("payments") is None
    assert marks.load("billing") is None


def test_never_lowers(marks: MarkFiles, file: Path) -> None:
    """An older mark, or another write of the same revision, changes nothing but the revoked kids."""
    older = Mark(MARK.epoch, 6, uuid4(), frozenset({"kid-c"}), usable=frozenset({"kid-w"}))
    kept = marks.save("payments", older)
    assert kept == replace(MARK, revoked=frozenset({"kid-a", "kid-b", "kid-c"}))
    assert marks.load("payments") == kept


def test_new_epoch_rises(marks: MarkFiles, file: Path) -> None:
    """A new epoch stands above every revision of the old one, and remembers what was revoked.

    What it says of other keys is its own, also that it knows nothing.
    """
    newer = Mark(MARK.epoch + 1, 0, uuid4())
    assert marks.save("payments", newer) == Mark(newer.epoch, 0, newer.write_id, MARK.revoked)
    assert marks.load("payments") == marks.save("payments", newer)


def test_reset_forgets(marks: MarkFiles, file: Path) -> None:
    """A reset mark is gone, also a spoilt one; to reset twice, or what never was, is fine."""
    file.write_bytes(b"spoilt")
    marks.reset("payments")
    assert marks.load("payments") is None
    marks.reset("payments")
    MarkFiles(file.parent / "nowhere", "x").reset("payments")


def test_unchanged_mark_is_not_written(marks: MarkFiles, file: Path) -> None:
    """A poll that sees nothing new writes nothing."""
    before = file.stat()
    marks.save("payments", MARK)
    assert file.stat() == before


def test_saved_by_many_at_once(tmp_path: Path) -> None:
    """Marks saved by many at once add up to the highest and to every revoked kid."""

    def save(number: int) -> None:
        mine = MarkFiles(tmp_path, "s")
        for revision in range(number, 60, 6):
            mine.save("a", Mark(1, revision, UUID(int=revision), frozenset({f"kid-{revision}"})))

    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revoked = frozenset(f"kid-{revision}" for revision in range(60))
    assert MarkFiles(tmp_path, "s").load("a") == Mark(1, 59, UUID(int=59), revoked)


def test_every_altered_byte_is_noticed(marks: MarkFiles, file: Path) -> None:
    """A mark altered or cut off anywhere is an error on reading and on saving, and stays for a person."""
    whole = file.read_bytes()
    spoilt = [whole[:length] for length in range(len(whole) - 1)]
    spoilt += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole) - 1)]
    for data in spoilt:
        file.write_bytes(data)
        with pytest.raises((CorruptDocument, NewerSchema)):
            marks.load("payments")
    with pytest.raises(CorruptDocument):
        marks.save("payments", Mark(9, 9, uuid4()))
    assert file.read_bytes() == spoilt[-1]


def test_mark_of_another_ring(marks: MarkFiles, file: Path) -> None:
    """A mark copied to another keyring's name is told as foreign."""
    (file.parent / "billing.json").write_bytes(file.read_bytes())
    with pytest.raises(ForeignDocument):
        marks.load("billing")


def test_newer_mark(marks: MarkFiles, file: Path) -> None:
    """A mark of a schema to come is told as newer."""
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 2}))
    with pytest.raises(NewerSchema):
        marks.load("payments")


def test_file_is_its_owners(file: Path) -> None:
    """A mark is for its owner alone: who could write it could hide a restored store."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_bad_ring_name(marks: MarkFiles) -> None:
    """No name leads out of the directory."""
    with pytest.raises(BadRingName):
        marks.load("../../etc")
