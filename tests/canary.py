"""Canaries: every private half made in a test run is looked for in all that the run prints.

A plugin that remembers each key as it is made in this process, and fails the test whose log,
output or failure text shows one, in any of the spellings a key is written in.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private

SHORTEST = 16
"""Shorter spellings (of a tiny number, say) would be found by chance."""


def spellings(algorithm: str, private: bytes) -> set[str]:
    """Return the ways in which this private half may be written in text."""
    found = set(_bytes_spellings(private))
    key = load_private(algorithm, private)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        found |= set(_number_spellings(key.private_numbers().private_value))
    elif isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        for number in (numbers.d, numbers.p, numbers.q):
            found |= set(_number_spellings(number))
    elif not isinstance(key, Secret):
        found |= set(_bytes_spellings(key.private_bytes_raw()))
    return {text for text in found if len(text) >= SHORTEST}


def _number_spellings(number: int) -> Iterator[str]:
    yield str(number)
    yield from _bytes_spellings(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _bytes_spellings(data: bytes) -> Iterator[str]:
    yield data.hex()
    yield base64.b64encode(data).decode().rstrip("=")
    yield base64.urlsafe_b64encode(data).decode().rstrip("=")
    yield repr(data)[2:-1]
    yield str(list(data))[1:-1]


class Canaries:
    """Remembers the keys that `LocalKeyFactory` makes, and searches what each test leaves behind."""

    def __init__(self) -> None:
        self.kept: dict[str, FreshKey] = {}
        self._make = LocalKeyFactory.make

    def pytest_sessionstart(self) -> None:
        """Watch every key as it is made."""
        make, kept = self._make, self.kept

        def watched(factory: LocalKeyFactory, algorithm: str) -> FreshKey:
            fresh = make(factory, algorithm)
            kept[fresh.kid] = fresh
            return fresh

        LocalKeyFactory.make = watched  # type: ignore[method-assign]

    def pytest_sessionfinish(self) -> None:
        """Stop watching."""
        LocalKeyFactory.make = self._make  # type: ignore[method-assign]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[Any]:
        """Turn a test that shows a private half into a failed one, without showing it again."""
        report: pytest.TestReport = yield
        shown = self.search(f"{report.longreprtext}\n{report.capstdout}\n{report.capstderr}\n{report.caplog}")
        for kid in shown:
            del self.kept[kid]
        if shown:
            report.outcome = "failed"
            report.sections = []
            report.longrepr = f"a private half was shown: {', '.join(sorted(shown))}"
        if report.when == "teardown":
            self.kept.clear()
        return report

    def search(self, text: str) -> set[str]:
        """Return the kids of the keys whose private half stands in `text`."""
        if len(text) < SHORTEST:
            return set()
        return {
            kid
            for kid, fresh in self.kept.items()
            if fresh.private is not None
            and any(spelling in text for spelling in spellings(fresh.algorithm, fresh.private))
        }
