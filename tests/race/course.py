"""The race: processes that are kept for all rounds, and in each round one rotation that is due."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from keyvault_jwt import document
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentName
from keyvault_jwt.testing.fake_clock import FakeClock
from tests.model.scenes import ISSUER, seconds_policy
from tests.race.ground import Ground
from tests.race.racer import RING, Finish, Start, manager_on, race

_ROUND = 6000


@dataclass(frozen=True)
class Round:
    """One round: who won by its own answered write, who raced and who told of it, and what was wrong.

    `gave_up` are the errors of those who lost too many races in a row.
    """

    winners: tuple[int, ...]
    raced: int
    told: int
    gave_up: tuple[str, ...]
    errors: tuple[str, ...]


class Course:
    """A keyring on a ground and the racers there."""

    def __init__(self, ground: Ground, lines: list[Connection]) -> None:
        self._lines, self._clock = lines, FakeClock()
        self._store = ground.store()
        self._manager: KeyManager = manager_on(self._store, ground, self._clock)
        self._manager.create(RING, seconds_policy(), issuer=ISSUER)

    def run(self) -> Round:
        """Let all racers go at the instant at which the rotation is due, and judge the round."""
        self._clock.advance(_ROUND)
        before = self._manager.keyring(RING)
        assert before.active is not None
        for line in self._lines:
            line.send(Start(self._clock.wall(), before.active.kid))
        finishes: list[Finish] = [line.recv() for line in self._lines]
        after = self._manager.keyring(RING)
        wrong = [finish.failure for finish in finishes if finish.failure]
        wrong += self._wrong(before, after)
        wrong += [
            f"one came to rest with {finish.signing}"
            for finish in finishes
            if finish.signing and (after.active is None or finish.signing != after.active.kid)
        ]
        return Round(
            winners=tuple(number for number, finish in enumerate(finishes) for _ in finish.took),
            raced=sum(finish.raced for finish in finishes),
            told=sum(bool(finish.told) for finish in finishes),
            gave_up=tuple(finish.lost for finish in finishes if finish.lost),
            errors=tuple(wrong),
        )

    def _wrong(self, before: Keyring, after: Keyring) -> Iterator[str]:
        """Yield what a rotation should not have left."""
        new = [entry for entry in after.ledger.entries if entry.seq >= before.ledger.next_seq]
        promoted = [entry.kid for entry in new if entry.action == "promoted"]
        if len(promoted) != 1:
            yield f"{len(promoted)} promotions in one round"
        if after.active is None or promoted != [after.active.kid]:
            yield f"{after.active} signs, and {promoted} was promoted"
        if len(after.standbys(after.algorithm)) != after.policy.standbys:
            yield f"{len(after.standbys(after.algorithm))} standbys"
        for kind in document.derived_kinds(after):
            name = DocumentName(RING, kind)
            seen = self._store.read(name)
            there = None if seen is None else document.decode_derived(name, seen.draft.data)
            if there is None or not document.says_the_same(there, document.derive(kind, after)):
                yield f"{kind} is not what the keyring derives"
        try:
            if self._manager.reconcile(RING).commits:
                yield "there was work left"
        except KeyvaultJWTError as error:
            yield f"{error.code}: {error}"


@contextmanager
def course(ground: Ground, racers: int) -> Iterator[Course]:
    """Start the racers, and end them when the race is over."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.race.racer"])
    barrier = context.Barrier(racers)
    ours, processes = [], []
    for number in range(racers):
        mine, theirs = context.Pipe()
        process = context.Process(target=race, args=(number, ground, theirs, barrier), daemon=True)
        process.start()
        theirs.close()
        ours.append(mine)
        processes.append(process)
    try:
        yield Course(ground, ours)
    finally:
        for line in ours:
            line.close()
        for process in processes:
            process.join(30)
            process.kill()
            process.join()
            process.close()
