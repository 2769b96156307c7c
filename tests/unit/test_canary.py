"""That the search for private halves would find one: a check that can't fail proves nothing."""

from __future__ import annotations

import base64

import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.key_factory import LocalKeyFactory
from tests.canary import Canaries, spellings

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_kind_of_key_has_spellings_that_are_found(algorithm: str) -> None:
    """A private half in base64 is found in a line of log, for every algorithm."""
    canaries = Canaries()
    fresh = LocalKeyFactory().make(algorithm)
    canaries.kept[fresh.kid] = fresh
    assert fresh.private is not None
    line = f"loaded key {base64.b64encode(fresh.private).decode()} from store"
    assert canaries.search(line) == {fresh.kid}
    assert canaries.search(f"loaded key {fresh.kid} {fresh!r} {fresh.public}") == set()
    assert len(spellings(algorithm, fresh.private)) >= 3


def test_a_test_that_logs_a_private_half_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """The plugin turns a passing test whose log shows a key into a failed one, and hides the key."""
    pytester.makeconftest(
        "from tests.canary import Canaries\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(Canaries())\n"
    )
    pytester.makepyfile(
        "import logging\n"
        "from keyvault_jwt.key_factory import LocalKeyFactory\n"
        "def test_leaks():\n"
        "    logging.warning('made %s', LocalKeyFactory().make('Ed25519').private.hex())\n"
        "def test_keeps():\n"
        "    logging.warning('made %s', LocalKeyFactory().make('Ed25519'))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*a private half was shown*"])
