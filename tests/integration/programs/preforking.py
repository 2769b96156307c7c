"""A service that signs, forks workers that sign until the key is replaced, and prints how they fared.

As an application server with preloading does: the signer is made and used before the fork.
"""

from __future__ import annotations

import os
import sys
import time

import keyvault_jwt as kj

WORKERS, PATIENCE = 4, 60.0


def work(signer: kj.Signer) -> None:
    """Sign until the key was replaced, and tell how many tokens and keys there were."""
    first, tokens, end = signer.kid, 0, time.monotonic() + PATIENCE
    while signer.kid == first and time.monotonic() < end:
        signer.sign({"sub": "u1", "aud": "api"})
        tokens += 1
        time.sleep(0.002)
    print("replaced" if signer.kid != first and tokens else "stuck", flush=True)


def main() -> None:
    signer = kj.Signer(kj.open_store(sys.argv[1]), "payments")
    signer.sign({"sub": "parent"})
    children = []
    for _ in range(WORKERS):
        child = os.fork()
        if child == 0:
            work(signer)
            os._exit(0)
        children.append(child)
    print("forked", flush=True)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    signer.close()
    print("ended", *codes, flush=True)


main()
