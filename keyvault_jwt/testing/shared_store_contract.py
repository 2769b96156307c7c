"""The conformance suite of a store that other processes reach by its URL."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ..store import DocumentName, DocumentStore
from .contract_steps import draft, settled
from .store_contract import StoreContract


class SharedStoreContract(StoreContract):
    """Besides `store`, give it a `store_url` fixture: the same store for real other processes."""

    processes = 4
    increments = 25
    """How many processes count up one document at once, and how far each."""

    @pytest.fixture
    def store_url(self) -> str:
        """The URL of the store under test, as `open_store` takes it: for the subclass to define."""
        raise NotImplementedError("define a fixture named `store_url` that returns your store's URL")

    def test_processes_lose_no_increment(
        self, store: DocumentStore, store_url: str, name: DocumentName
    ) -> None:
        """Processes that count one document up by compare-and-swap lose none of their increments."""
        store.replace(name, draft(b"0"), expected=None)
        command = [sys.executable, "-m", "keyvault_jwt.testing.increments", store_url]
        children = [
            subprocess.Popen(  # noqa: S603  (this interpreter, and the test's own URL)
                [*command, name.ring, str(self.increments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(self.processes)
        ]
        try:
            reports = [child.communicate(timeout=self.patience)[0].decode() for child in children]
        finally:
            for child in children:
                child.kill()
        failed = [report for child, report in zip(children, reports, strict=True) if child.returncode]
        assert not failed, f"{len(failed)} of {self.processes} processes failed: {failed}"
        total = b"%d" % (self.processes * self.increments)
        seen = settled(store, lambda: store.read(name), lambda it: it is not None and it.draft.data == total)
        assert seen is not None, "the counter is gone"
        assert seen.draft.data == total, f"{total.decode()} increments came to {seen.draft.data.decode()}"
