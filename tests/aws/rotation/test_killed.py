"""The function's process is killed within a step: whatever it had begun is finished or given up, once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.aws.documented_secret import CURRENT, PENDING
from tests.aws.faults import Stalls
from tests.aws.rotation.rotating import STEPS, Rotating
from tests.waiting import until

FUNCTION = """
import json, sys
from keyvault_jwt_aws.rotation_lambda import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 300_000

handler(json.loads(sys.argv[1]), Context())
"""


@dataclass(frozen=True)
class Kill:
    """In which step, at which request of an operation; before it, or as soon as `done` is true."""

    step: str
    operation: str
    number: int
    done: Callable[[Rotating, str], object] | None


def _put(rotating: Rotating, token: str) -> bool:
    return rotating.secret.versions[token].value is not None


def _moved(rotating: Rotating, token: str) -> bool:
    return rotating.secret.holder(CURRENT) == token


def _released(rotating: Rotating, _token: str) -> bool:
    return rotating.secret.holder(PENDING) is None


def _published(rotating: Rotating, _token: str) -> bool:
    public = rotating.strict.region().secrets[rotating.name.replace("/authority", "/public")]
    return public.holder("keyvault-jwt-candidate") != public.holder(CURRENT)


MOVE = "UpdateSecretVersionStage"
KILLS = {
    "after the put": Kill("createSecret", "PutSecretValue", 0, _put),
    "before the move": Kill("finishSecret", MOVE, 0, None),
    "after the move": Kill("finishSecret", MOVE, 0, _moved),
    "after AWSPENDING was taken off": Kill("finishSecret", MOVE, 2, _released),
    "within the public document": Kill("finishSecret", "PutSecretValue", 0, _published),
}


@contextmanager
def _invoked(event: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Invoke the function in a process of its own, killed with the block."""
    process = subprocess.Popen([sys.executable, "-c", FUNCTION, json.dumps(event)], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL


@pytest.mark.parametrize("case", KILLS)
def test_killed(rotating: Rotating, case: str) -> None:
    """The rotation that follows, with another token, first takes up what the dead process left."""
    kill, token, before = KILLS[case], str(uuid4()), rotating.active
    promoted = len(rotating.keyring.ledger.entries)
    rotating.begin(token)
    for step in STEPS[: STEPS.index(kill.step)]:
        rotating.invoke(step, token)
    waiting = rotating.strict.script
    rotating.strict.next(kill.operation, *[None] * kill.number, Stalls(kill.done is not None))
    with _invoked(rotating.event(kill.step, token)) as process:
        until(lambda: not waiting[kill.operation] and (kill.done is None or kill.done(rotating, token)))
        assert process.poll() is None
    rotating.rotate()
    assert rotating.active != before
    entries = rotating.keyring.ledger.entries[promoted:]
    assert [entry.action for entry in entries].count("promoted") == 1


def test_killed_between_two_steps_while_others_write(rotating: Rotating) -> None:
    """A candidate that a revocation overtook is given up when it is taken up again."""
    token, before = str(uuid4()), rotating.active
    rotating.begin(token)
    rotating.strict.next("PutSecretValue", Stalls(True))
    with _invoked(rotating.event("createSecret", token)):
        until(lambda: rotating.secret.versions[token].value is not None)
    rotating.manager.revoke("payments", before, reason="leaked")
    after = rotating.active
    rotating.rotate()
    assert before not in {it.kid for it in rotating.keyring.records if it.state == "active"}
    assert rotating.active != before
    assert rotating.keyring.record(after).compromised is None
