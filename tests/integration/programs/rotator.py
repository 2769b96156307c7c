"""A scheduler over the store named first: says when it runs, and ends in order on SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading

import keyvault_jwt as kj


def main() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with kj.RotationScheduler(kj.KeyManager(kj.open_store(sys.argv[1]))):
        print("running", flush=True)
        ended.wait()
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    print("ended", *left, flush=True)


main()
