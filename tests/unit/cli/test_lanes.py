"""The drawing: what was left of the bar, what is planned right of it, one look for each phase."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keyvault_jwt.cli.lanes import ASCII, KID_WIDTH, UNICODE, Line, lanes, plain
from keyvault_jwt.cli.phase import Phase
from keyvault_jwt.clock import Instant
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock

HOUR = timedelta(hours=1)
POLICY = RotationPolicy(rotate_every=timedelta(hours=12))
"""Lead 2 h 5 min 30 s, retirement 1 h 16 min 30 s: long enough against R to be seen."""


class Story:
    """A keyring that is told what happens to it, and drawn."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.manager = KeyManager(MemoryStore(), clock=self.clock)
        self.manager.create("payments", POLICY, issuer="https://id.example")

    @property
    def now(self) -> Instant:
        return self.clock.wall()

    def run(self, length: timedelta) -> None:
        """Let time pass with a pass of the scheduler every ten minutes."""
        for _ in range(length // timedelta(minutes=10)):
            self.clock.advance(timedelta(minutes=10))
            self.manager.reconcile("payments")

    def draw(self, width: int = 80) -> tuple[Line, ...]:
        keyring = self.manager.keyring("payments")
        return lanes(keyring, self.manager.plan("payments"), self.now, width)

    def lane(self, kid: str, width: int = 80) -> str:
        """Return the drawn part of a key's lane."""
        (line,) = (line for line in self.draw(width) if plain(line).startswith(kid[:KID_WIDTH]))
        return "".join(span.text for span in line[1:])

    def active(self) -> str:
        record = self.manager.keyring("payments").active
        assert record is not None
        return record.kid


@pytest.fixture
def story() -> Story:
    return Story()


def past(lane: str) -> str:
    return lane.partition(UNICODE.now)[0]


def planned(lane: str) -> str:
    return lane.partition(UNICODE.now)[2]


def phases(text: str) -> list[Phase | None]:
    """Return the phases drawn, each once in a row; None for nothing."""
    looks: dict[str, Phase | None] = {glyph: phase for phase, glyph in UNICODE.phases.items()}
    drawn = [looks.get(glyph) for glyph in text]
    return [one for one, before in zip(drawn, [object(), *drawn], strict=False) if one is not before]


def test_each_look_is_its_own() -> None:
    """No two phases share a glyph, in either alphabet, and none looks like the bar."""
    for glyphs in (UNICODE, ASCII):
        assert len({*glyphs.phases.values(), glyphs.now}) == len(Phase) + 1
    assert "".join([*ASCII.phases.values(), ASCII.now]).isascii()


def test_a_key_goes_through_its_phases_in_order(story: Story) -> None:
    """The founding key of a keyring in its second period signed, verifies, and will be gone."""
    founder = story.active()
    story.run(12 * HOUR + timedelta(minutes=30))
    lane = story.lane(founder)
    assert phases(past(lane))[-2:] == [Phase.SIGNING, Phase.VERIFYING]
    assert phases(planned(lane)) == [Phase.VERIFYING, Phase.GONE]


def test_a_fresh_standby_is_seen_to_wait_out_its_lead(story: Story) -> None:
    """It is published, becomes ready in the future, and signs only after that."""
    story.run(12 * HOUR + timedelta(minutes=30))
    fresh = max(story.manager.keyring("payments").records, key=lambda record: record.created)
    lane = story.lane(fresh.kid)
    assert phases(past(lane)) == [None, Phase.WAITING]
    assert phases(planned(lane))[:2] == [Phase.WAITING, Phase.READY]


def test_the_planned_handover_is_where_the_next_key_begins(story: Story) -> None:
    """The column in which the active key stops signing is the one in which a standby starts."""
    story.run(3 * HOUR)
    now, later = (
        planned(story.lane(story.active())),
        [planned(story.lane(record.kid)) for record in story.manager.keyring("payments").standbys("ES256")],
    )
    stops = now.index(UNICODE.phases[Phase.VERIFYING])
    assert stops in [lane.find(UNICODE.phases[Phase.SIGNING]) for lane in later]
    assert "next signs in 9h" in plain(story.draw()[0])


def test_a_revoked_key_is_drawn_as_such(story: Story) -> None:
    """From the revocation on the lane shows it, until the bound is over."""
    first = story.active()
    story.run(HOUR)
    story.manager.revoke("payments", first, reason="leaked")
    story.run(HOUR)
    lane = story.lane(first)
    assert phases(past(lane))[-2:] == [Phase.SIGNING, Phase.REVOKED]
    assert phases(planned(lane)) == [Phase.REVOKED, Phase.GONE]


def test_a_rollback_is_remembered(story: Story) -> None:
    """A key that rested and signs again is drawn twice as signing, though its record has one date."""
    first = story.active()
    story.run(6 * HOUR)
    story.manager.rotate("payments")
    story.run(timedelta(minutes=40))
    story.manager.rollback("payments")
    story.run(2 * HOUR)
    assert phases(past(story.lane(first, 200)))[-3:] == [Phase.SIGNING, Phase.VERIFYING, Phase.SIGNING]


def test_a_frozen_keyring_has_no_planned_handover(story: Story) -> None:
    """What lives on elsewhere is not promised a future here."""
    story.run(3 * HOUR)
    story.manager.freeze("payments", "vault://secret/jwt")
    assert phases(planned(story.lane(story.active()))) == [Phase.SIGNING]
    assert "next signs" not in plain(story.draw()[0])


def test_a_key_long_gone_is_not_drawn(story: Story) -> None:
    """Lanes reach back two periods; a tombstone from before has none."""
    founder = story.active()
    story.run(50 * HOUR)
    assert founder in [record.kid for record in story.manager.keyring("payments").records]
    assert not any(plain(line).startswith(founder[:KID_WIDTH]) for line in story.draw())


@pytest.mark.parametrize("width", [40, 61, 80, 120, 300])
@pytest.mark.parametrize("hours", [0, 1, 13, 30])
def test_the_drawing_fits_its_width(story: Story, width: int, hours: int) -> None:
    """No line is wider than the terminal, and every lane has the bar in one column, under "now"."""
    story.run(hours * HOUR)
    drawn = [plain(line) for line in story.draw(width)]
    assert max(map(len, drawn)) <= width
    bars = {line.index(UNICODE.now) for line in drawn[1:-1]}
    assert len(bars) == 1
    assert drawn[0][bars.pop() :].startswith("now")


def test_a_short_phase_still_gets_a_column(story: Story) -> None:
    """A key revoked this very moment is seen to be."""
    first = story.active()
    story.run(11 * HOUR)
    story.manager.revoke("payments", first, reason="leaked")
    assert Phase.REVOKED in phases(story.lane(first, 60))


def test_phases_that_fall_into_one_column_get_one_each(story: Story) -> None:
    """Ten minutes as verify-only are less than a column, and are still seen between the two others."""
    first = story.active()
    story.run(11 * HOUR)
    story.manager.rotate("payments")
    story.run(timedelta(minutes=10))
    story.manager.revoke("payments", first, reason="leaked")
    story.run(HOUR)
    drawn = phases(past(story.lane(first, 60)))
    assert drawn[-3:] == [Phase.SIGNING, Phase.VERIFYING, Phase.REVOKED]


def test_a_drawing_is_a_pure_function(story: Story) -> None:
    """Equal arguments give equal lines."""
    assert story.draw() == story.draw()


def test_the_legend_names_what_is_drawn_and_no_more(story: Story) -> None:
    """A phase that does not occur is not explained."""
    legend = plain(story.draw(120)[-1])
    assert "signing" in legend
    assert "planned" in legend
    assert "revoked" not in legend
