"""Keeps what botocore logs of our requests out of every log: at DEBUG it prints bodies and session tokens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_OURS: Final[ContextVar[bool]] = ContextVar("keyvault_jwt_aws_request", default=False)


class _Quiet(logging.Filter):
    """Lets no DEBUG record through that is logged while one of our requests is under way."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be handled."""
        return record.levelno > logging.DEBUG or not _OURS.get()


_QUIET: Final = _Quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Log no details of botocore's while this lasts, here and in the credentials' own requests.

    A filter sees only what its own logger is given, so that every logger of botocore's has it;
    other users of botocore in this process go on logging as they like.
    """
    _hush()
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)


def _hush() -> None:
    for name in list(logging.Logger.manager.loggerDict):
        if name.partition(".")[0] in {"botocore", "boto3"}:
            logger = logging.getLogger(name)
            if _QUIET not in logger.filters:
                logger.addFilter(_QUIET)
