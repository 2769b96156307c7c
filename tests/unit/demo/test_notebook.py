"""Every token is looked at when it arrives, when the next key takes over, and before it expires."""

from __future__ import annotations

import pytest

from keyvault_jwt.demo.messages import Occasion
from keyvault_jwt.demo.notebook import AGAIN, LATE, LONGEST, Notebook
from tests.unit.demo.conftest import NOW, MakeTicket


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def looks(notebook: Notebook, now: int) -> list[tuple[str, Occasion]]:
    """Take all looks that are due, each answered with an acceptance."""
    taken = []
    while (look := notebook.due(now)) is not None:
        taken.append((look.ticket.jti, look.occasion))
        notebook.looked(look, now, accepted=True)
    return taken


def test_a_token_is_looked_at_on_arrival_and_before_its_expiry(
    notebook: Notebook, ticket: MakeTicket
) -> None:
    """Twice, and not in between."""
    notebook.take(ticket(), NOW)
    assert looks(notebook, NOW) == [("t1", Occasion.ARRIVAL)]
    late = NOW + 3_000 - LATE
    assert notebook.rest(NOW) == late - NOW
    assert looks(notebook, late - 1) == []
    assert looks(notebook, late) == [("t1", Occasion.LATE)]
    assert looks(notebook, NOW + 60_000) == []


def test_a_new_key_has_the_living_tokens_looked_at_again(notebook: Notebook, ticket: MakeTicket) -> None:
    """Those of the key before, not those that have expired, and not again for the second token."""
    notebook.take(ticket(jti="old", lives=1), NOW)
    notebook.take(ticket(jti="living"), NOW)
    looks(notebook, NOW + 1_000)
    notebook.take(ticket("k2", "new"), NOW + 1_000)
    expected = [("living", Occasion.HANDOVER), ("new", Occasion.ARRIVAL)]
    assert looks(notebook, NOW + 1_000) == expected
    notebook.take(ticket("k2", "newer"), NOW + 1_001)
    assert looks(notebook, NOW + 1_001) == [("newer", Occasion.ARRIVAL)]


def test_a_look_without_an_answer_is_repeated_while_the_token_lives(
    notebook: Notebook, ticket: MakeTicket
) -> None:
    """Again after a moment, as a client does; not once it has expired."""
    notebook.take(ticket(), NOW)
    look = notebook.due(NOW)
    assert look is not None
    notebook.looked(look, NOW, accepted=None)
    assert notebook.due(NOW + AGAIN - 1) is None
    look = notebook.due(NOW + AGAIN)
    assert look is not None
    assert look.occasion is Occasion.ARRIVAL
    notebook.looked(look, NOW + 3_000, accepted=None)
    assert [occasion for _, occasion in looks(notebook, NOW + 60_000)] == [Occasion.LATE]


def test_a_watched_key_is_tried_for_ever_by_its_last_accepted_token(
    notebook: Notebook, ticket: MakeTicket
) -> None:
    """By its signature, long after the token has expired; a key that was never seen is not."""
    notebook.take(ticket(jti="first"), NOW)
    notebook.take(ticket(jti="last"), NOW)
    looks(notebook, NOW + 60_000)
    notebook.watch("unseen", NOW + 60_000)
    assert looks(notebook, NOW + 60_000) == []
    notebook.watch("k1", NOW + 60_000)
    for at in (NOW + 60_000, NOW + 60_000 + AGAIN, NOW + 60_000 + 2 * AGAIN):
        assert looks(notebook, at) == [("last", Occasion.SIGNATURE)]


def test_a_token_that_was_not_accepted_stands_for_no_key(notebook: Notebook, ticket: MakeTicket) -> None:
    """Refusing a forgery of the revoked key would prove nothing, so the one accepted before is tried."""
    for jti, accepted in (("good", True), ("forged", False), ("unanswered", None)):
        notebook.take(ticket(jti=jti), NOW)
        look = notebook.due(NOW)
        assert look is not None
        notebook.looked(look, NOW, accepted=accepted)
    notebook.take(ticket("k2", "forged"), NOW)
    while (look := notebook.due(NOW)) is not None:
        notebook.looked(look, NOW + 60_000, accepted=False)
    notebook.watch("k1", NOW)
    notebook.watch("k2", NOW)
    assert looks(notebook, NOW) == [("good", Occasion.SIGNATURE)]


def test_no_rest_is_longer_than_a_thread_can_wait(notebook: Notebook, ticket: MakeTicket) -> None:
    """An exp in a far future does not end the verifier."""
    notebook.take(ticket(lives=10**9), NOW)
    looks(notebook, NOW)
    assert notebook.rest(NOW) == LONGEST
