"""How many requests a keyring's care costs in Vault; counted on a real server, so always the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from keyvault_jwt_vault.answer import Answer
from keyvault_jwt_vault.request import Request

from .household import Household, request_figures


class CountedSession(Session):
    """A session that notes every request it sends."""

    sent: list[str]

    def _try(
        self, asked: Request, token: str, deadline: Milliseconds
    ) -> tuple[Answer, KeyvaultJWTError | None]:
        self.sent.append(f"{asked.method} {asked.path.rpartition('/')[2]}")
        return super()._try(asked, token, deadline)


@contextmanager
def household() -> Iterator[Household]:
    """Start a real server with a keyring in it."""
    with BaoServer() as server:
        session = CountedSession(
            Address(server=server.url, mount="secret", prefix="bench"), StaticToken(server.token)
        )
        session.sent = []
        home = Household(VaultStore(session), session.sent)
        with home.manager:
            yield home


FIGURES = request_figures("vault", household, rotation=10, idle_pass=4)
