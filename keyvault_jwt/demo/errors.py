"""What can keep a demonstration from being one.

KeyvaultJWTError
├── UsageError
│   └── PageUnwritable    demo_page_unwritable
├── MemberLost            demo_member_lost
└── DemoFailed            demo_failed
"""

from __future__ import annotations

from ..errors import KeyvaultJWTError, UsageError


class PageUnwritable(UsageError):
    """The file that the picture is to be written to can't be; told before the play begins."""

    code = "demo_page_unwritable"


class MemberLost(KeyvaultJWTError):
    """A process of the fleet ended, or never began, though nobody asked it to."""

    code = "demo_member_lost"


class DemoFailed(KeyvaultJWTError):
    """The closing count shows a promise broken, or a scene that did not happen."""

    code = "demo_failed"
