"""The whole picture keeps the keys that a moving one leaves behind."""

from __future__ import annotations

from keyvault_jwt.cli.demo.panorama import Panorama
from keyvault_jwt.cli.phase import Phase
from tests.unit.cli.demo.conftest import Story


def test_every_key_of_the_whole_time_is_there(story: Story) -> None:
    """Six rotations later the first key is still drawn, from the beginning, in the order of signing."""
    panorama = Panorama()
    story.run(30, panorama.seen)
    view = story.view()
    moving, whole = panorama.seen(view), panorama.whole(view)
    assert len(whole.lanes) == len(view.keyring.records) > len(moving.lanes)
    assert (whole.start, whole.now) == (story.began, view.now)
    signed = [lane.starts(Phase.SIGNING) for lane in whole.lanes]
    turns = [when for when in signed if when is not None]
    assert turns == sorted(turns)
    assert turns[0] == story.began
    assert signed[len(turns) :] == [None] * (len(signed) - len(turns))
