"""How many requests a keyring's care costs in Secrets Manager; counted before moto, so always the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keyvault_jwt_aws import Address, AwsStore, Service
from keyvault_jwt_aws.service import Answer
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager

from .household import Household, request_figures


class CountedService(Service):
    """A service that notes every request; apart from the others those that only take a label off.

    Nothing waits for these, and they may fail.
    """

    sent: list[str]
    cleaned: list[str]

    def request(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        safe: bool = True,
        expecting: frozenset[str] = frozenset(),
    ) -> Answer:
        """Note, and ask."""
        secret = str(parameters.get("SecretId") or parameters.get("Name") or "")
        takes_off = operation == "update_secret_version_stage" and "MoveToVersionId" not in parameters
        (self.cleaned if takes_off else self.sent).append(f"{operation} {secret.rpartition('/')[2]}")
        return super().request(operation, parameters, safe=safe, expecting=expecting)


@contextmanager
def household() -> Iterator[Household]:
    """Start moto behind the strict layer, with a keyring in it."""
    with MotoServer() as moto, StrictSecretsManager(moto.url) as layer:
        os.environ.update({name: it for name, it in layer.environment.items() if name not in os.environ})
        service = CountedService(Address(region="us-east-1", prefix="bench", endpoint_url=layer.url))
        service.sent, service.cleaned = [], []
        home = Household(AwsStore(service, wait=_at_once), service.sent)
        with home.manager:
            yield home


def _at_once(_seconds: float) -> None:
    """Wait for nobody: nobody else is there."""


FIGURES = request_figures("aws", household, rotation=16, idle_pass=3)
