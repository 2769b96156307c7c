"""A binding of AWS-LC's answers many threads at once, and outlives a fork."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.fast import SERVED
from tests.unit.fast.conftest import MakeKey, bound

FORKING = """
import os, signal, threading
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.fast import AWSLC, SERVED
from keyvault_jwt.key_factory import LocalKeyFactory, load_private, public_half

bound = []
for name in sorted(SERVED):
    private = load_private(name, LocalKeyFactory().make(name).private)
    verify = AWSLC().verifier(ALGORITHMS[name], public_half(private))
    bound.append((verify, ALGORITHMS[name].signer(private)(b"data")))
ended = threading.Event()

def right():
    return all(verify(good, b"data") and not verify(good, b"date") for verify, good in bound)

def keep_on():
    while not ended.is_set() and right():
        pass

threads = [threading.Thread(target=keep_on) for _ in range(4)]
for thread in threads:
    thread.start()
codes = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # who waits for a lock that nobody holds any more, dies by it
        os._exit(0 if all(right() for _ in range(5)) else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
ended.set()
print(*codes, right())
"""


@pytest.mark.parametrize("name", sorted(SERVED))
def test_one_binding_in_many_threads(name: str, make_key: MakeKey) -> None:
    """Eight threads that ask one binding at once get each its own answer."""
    private = make_key(name, 0).private
    verify, sign = bound(name, private).ours, ALGORITHMS[name].signer(private)
    texts = [bytes([number]) for number in range(8)]
    signatures = [sign(text) for text in texts]

    def right(number: int) -> bool:
        return all(
            verify(signatures[number], text) is (text == texts[number]) for _ in range(50) for text in texts
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(8)))


def test_bindings_survive_a_fork() -> None:
    """Children of a process whose threads verify all the time verify on, by bindings from before the fork."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.split() == ["0"] * 20 + ["True"]
