"""What stands on a token is read, and the token itself never shown."""

from __future__ import annotations

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.demo.ticket import ticket_of
from tests.unit.demo.conftest import NOW, MakeTicket


def test_a_ticket_names_key_id_and_expiry(ticket: MakeTicket) -> None:
    """The exp is in milliseconds; the repr has no token."""
    found = ticket("some-kid", "some-id")
    assert (found.kid, found.jti, found.expires) == ("some-kid", "some-id", NOW + 3_000)
    assert found.token not in repr(found)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "e30.e30.", "!.!.!"])
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    """Whatever may come over HTTP is a ValueError at worst."""
    with pytest.raises(ValueError, match=r".*"):
        ticket_of(token)


@pytest.mark.parametrize("exp", [-1, 253_402_300_800, 10**30])
def test_an_expiry_that_is_no_date_is_refused(exp: int) -> None:
    """It could be neither waited for nor reported."""
    header = base64url.encode(b'{"kid":"k1"}')
    claims = base64url.encode(b'{"jti":"t1","exp":%d}' % exp)
    with pytest.raises(ValueError, match=r"exp|out of range"):
        ticket_of(f"{header}.{claims}.AAAA")
