"""A process that holds a cache, verifies what it is given, and prints how many bytes are its alone.

It imports nothing else: memory that other imports leave half empty would take in what is to be seen.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Final

import keyvault_jwt as kj

USAGE: Final = Path("/proc/self/smaps_rollup")


def main(url: str, issuer: str, audience: str) -> None:
    """Hold the set of `url`, and verify each line of the standard input by it."""
    with kj.JWKSCache(url) as cache:
        cache.refresh()
        verifier = kj.Verifier(cache, issuer=issuer, audience=audience, algorithms=["RS256"])
        for line in sys.stdin:
            verifier.verify(line.rstrip())
        gc.collect()
        print(_private_bytes())


def _private_bytes() -> int:
    """Return what the process's death would give back: the clean and the dirty pages that nobody shares."""
    lines = (line.split() for line in USAGE.read_text().splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words[0] in {"Private_Clean:", "Private_Dirty:"})


if __name__ == "__main__":
    main(*sys.argv[1:])
