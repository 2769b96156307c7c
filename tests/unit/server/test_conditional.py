"""If-None-Match: what it matches, and what its ETags tell."""

from __future__ import annotations

import pytest

from keyvault_jwt.server import conditional

OURS, NEWER = '"3-41-0123456789abcdef"', '"4-2-0123456789abcdef"'


@pytest.mark.parametrize(
    ("field", "matches", "held"),
    [
        ("", False, None),
        ("*", True, None),
        (OURS, True, (3, 41)),
        (f"W/{OURS}", True, (3, 41)),
        (f'"x", {NEWER} ,{OURS}', True, (4, 2)),
        (NEWER, False, (4, 2)),
        ('"x"', False, None),
        (OURS.strip('"'), False, None),
        ('"\xe9"', False, None),
        (" " * 4_096 + OURS, False, None),
    ],
)
def test_a_field_tells_what_its_sender_has(field: str, matches: bool, held: tuple[int, int] | None) -> None:
    """Whether it names our ETag, and the newest of our sets in it; of a long one the beginning counts."""
    assert conditional.matches(field, OURS) is matches
    assert conditional.held(field) == held
