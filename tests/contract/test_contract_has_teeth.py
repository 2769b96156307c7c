"""The store contract refuses stores that break a promise: each of these breaks one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN_STORES = """
import time
from uuid import UUID
import pytest
from keyvault_jwt.errors import Conflict
from keyvault_jwt.store import *
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import StoreContract

class NeverConflicts(MemoryStore):
    def replace(self, name, draft, *, expected):
        seen = self.read(name)
        return super().replace(name, draft, expected=seen.version if seen else None)

class ChecksBeforeItLocks(MemoryStore):
    def replace(self, name, draft, *, expected):
        seen = self.read(name)
        if (seen.version if seen else None) != expected:
            raise Conflict("lost")
        while True:
            time.sleep(0.001)
            seen = self.read(name)
            try:
                return super().replace(name, draft, expected=seen.version if seen else None)
            except Conflict:
                continue

class VersionsByContent(MemoryStore):
    def read(self, name):
        seen = super().read(name)
        return seen and Versioned(seen.draft, Version(seen.draft.data.hex()))
    def replace(self, name, draft, *, expected):
        seen = super().read(name)
        if (seen.draft.data.hex() if seen else None) != expected:
            raise Conflict("lost")
        super().replace(name, draft, expected=seen.version if seen else None)
        return Version(draft.data.hex())

class StripsBytes(MemoryStore):
    def replace(self, name, draft, *, expected):
        stripped = Draft(draft.data.strip(), draft.revision, draft.write_id)
        return super().replace(name, stripped, expected=expected)

class ForgetsWriteIds(MemoryStore):
    def read(self, name):
        seen = super().read(name)
        return seen and Versioned(Draft(seen.draft.data, seen.draft.revision, UUID(int=0)), seen.version)

class KeepsWhatIsTooLarge(MemoryStore):
    limits = Limits(document_bytes=500)

class RefusesTooEarly(MemoryStore):
    limits = Limits(document_bytes=1001)
    def __init__(self):
        super().__init__(limits=Limits(document_bytes=1000))

class TakesArchivesForOne(MemoryStore):
    def read(self, name):
        return super().read(DocumentName(name.ring, name.kind))
    def replace(self, name, draft, *, expected):
        return super().replace(DocumentName(name.ring, name.kind), draft, expected=expected)

class HidesNames(MemoryStore):
    def names(self):
        return [name for name in super().names() if name.kind is not DocumentKind.SIGNING]

class ReadsLate(MemoryStore):
    def read(self, name):
        return self.__dict__.setdefault("seen", {}).setdefault(name, super().read(name))

for each in (MemoryStore, *MemoryStore.__subclasses__()):
    def store(self, each=each):
        return each()
    members = {"store": pytest.fixture(store), "patience": 1.0}
    globals()["Test" + each.__name__] = type("Test" + each.__name__, (StoreContract,), members)
"""

CAUGHT_BY = {
    "NeverConflicts": "test_stale_expected_is_refused",
    "ChecksBeforeItLocks": "test_one_of_many_creators_wins",
    "VersionsByContent": "test_every_write_has_a_version_of_its_own",
    "StripsBytes": "test_bytes_come_back_exactly",
    "ForgetsWriteIds": "test_lost_answer_of_a_write_that_landed",
    "KeepsWhatIsTooLarge": "test_document_over_the_limit_is_refused",
    "RefusesTooEarly": "test_large_document_up_to_the_limit",
    "TakesArchivesForOne": "test_documents_are_independent_and_listed",
    "HidesNames": "test_documents_are_independent_and_listed",
    "ReadsLate": "test_write_answers_with_the_version_that_is_read",
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Run the contract over the broken stores, and return the tests that failed for each."""
    folder = tmp_path_factory.mktemp("teeth")
    (folder / "test_broken.py").write_text(BROKEN_STORES)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "-q", "-rf"]
    options = ["--rootdir", str(folder), "--tb=no", str(Path(folder) / "test_broken.py")]
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for store, test in re.findall(r"^FAILED \S+::Test(\w+)::(\w+)", done.stdout, re.MULTILINE):
        found.setdefault(store, set()).add(test)
    return found


@pytest.mark.parametrize(("store", "test"), CAUGHT_BY.items())
def test_broken_store_is_refused(failures: dict[str, set[str]], store: str, test: str) -> None:
    """A store that breaks one promise fails the test of that promise."""
    assert test in failures.get(store, set())


def test_sound_store_is_not_refused(failures: dict[str, set[str]]) -> None:
    """The sound store that the broken ones are made of fails nothing."""
    assert "MemoryStore" not in failures
