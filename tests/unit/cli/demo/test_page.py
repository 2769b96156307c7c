"""The page is whole in itself, shows what was, and takes no value for markup."""

from __future__ import annotations

import re

from keyvault_jwt.cli.demo.page import page
from keyvault_jwt.cli.demo.panorama import Panorama
from keyvault_jwt.cli.phase import Phase
from tests.unit.cli.demo.conftest import Story


def test_every_key_has_its_lane_and_only_its_past(story: Story) -> None:
    """A bar for each phase that was, inside the picture; none for what was only planned."""
    panorama = Panorama()
    story.run(30, panorama.seen)
    closing = story.closing()
    times = panorama.whole(closing.view)
    text = page(closing, times)
    for lane in times.lanes:
        assert lane.record.kid[:8] in text
    past = 0
    for lane in times.lanes:
        ends = [stretch.start for stretch in lane.stretches[1:]] + [times.now]
        past += sum(
            stretch.start < min(end, times.now) and stretch.phase is not Phase.GONE
            for stretch, end in zip(lane.stretches, ends, strict=True)
        )
    bars = re.findall(r'<rect class="[a-z]+" x="([\d.]+)" y="\d+" width="([\d.]+)"', text)
    assert len(bars) == past
    assert all(float(x) >= 150 and float(x) + float(width) <= 902 for x, width in bars)


def test_nothing_is_loaded_from_elsewhere(story: Story) -> None:
    """No address, no script; the page forbids itself to load anything."""
    text = page(story.closing(), Panorama().whole(story.view()))
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//|<script|<link|url\(|@import", text)


def test_hostile_words_stay_words(story: Story) -> None:
    """A title that looks like markup is shown as it is."""
    text = page(story.closing(title="<script>alert('x')</script>&"), Panorama().whole(story.view()))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;" in text


def test_a_broken_promise_is_the_heading(story: Story) -> None:
    """Nobody has to add up numbers to see it."""
    times = Panorama().whole(story.view())
    assert '<span class="ok">kept</span>' in page(story.closing(), times)
    assert '<span class="bad">BROKEN</span>' in page(story.closing(happened=False), times)
