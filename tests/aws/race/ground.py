"""The race's ground in Secrets Manager: moto behind the strict layer, which every process reaches by URL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keyvault_jwt.store import DocumentName, Draft, Version, Versioned
from keyvault_jwt_aws import AwsStore, Service, parse_url
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.race.notes import Notes


class NotingAwsStore(AwsStore):
    """A store whose reads and answered writes are noted."""

    notes: Notes

    def read(self, name: DocumentName) -> Versioned | None:
        """Read, and note."""
        seen = super().read(name)
        self.notes.saw(name, seen)
        return seen

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and note."""
        version = super().replace(name, draft, expected=expected)
        self.notes.wrote(name, draft)
        return version


@dataclass(frozen=True)
class Secrets:
    """A prefix in Secrets Manager."""

    url: str
    state: Path

    def store(self, notes: Notes) -> NotingAwsStore:
        """Open the store, with credentials that a process needs which began before this race."""
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "racer")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "racer")
        opened = NotingAwsStore(Service(parse_url(self.url)))
        opened.notes = notes
        return opened


@contextmanager
def aws_ground() -> Iterator[Secrets]:
    """Start moto and the layer before it, gone when the race is over; fails if moto strayed."""
    patient = "connect_timeout=10s&read_timeout=30s&deadline=2m"
    with (
        tempfile.TemporaryDirectory() as folder,
        MotoServer() as moto,
        StrictSecretsManager(moto.url) as layer,
    ):
        url = f"awssm://us-east-1/race?endpoint_url={layer.url}&quota=off&staleness=0&{patient}"
        yield Secrets(url, Path(folder) / "state")
