"""The pace of listings: bound to what they cost."""

from __future__ import annotations

import pytest

from keyvault_jwt.listing_pace import pause_after


@pytest.mark.parametrize(
    ("took", "pause"), [(0, 1_000), (1, 1_000), (5, 5_000), (40, 30_000), (60_000, 30_000)]
)
def test_listing_takes_a_thousandth_of_the_time(took: int, pause: int) -> None:
    """Quick listings come every second, slow ones less often, and none less often than every 30 s."""
    assert pause_after(took) == pause
