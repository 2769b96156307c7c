"""SigningKeys: how a store URL says that private halves are made in KMS, and never leave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from keyvault_jwt.duration import parse_duration
from keyvault_jwt.errors import BadDuration, BadStoreURL

LONGEST_PREFIX: Final = 192
"""A tag names a key's keyring, PREFIX/RING, and has at most 256 characters."""
_SHORTEST: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Keys in KMS: where it is (empty: the region's own), a key policy, and how long deletion takes.

    `policy` is a file that holds the key policy of new keys; None for AWS's default, under which
    the account's IAM policies decide.  `window` is in days.
    """

    endpoint_url: str = ""
    policy: Path | None = None
    window: int = _SHORTEST.days


def signing_keys(
    options: dict[str, str], prefix: str, endpoint: Callable[[str], str], nearby: str
) -> SigningKeys | None:
    """Take the options that begin with `kms` and say how keys sign there; None without `kms=sign`.

    `endpoint` checks a URL, and `nearby` is the stand-in on this machine that serves other services
    too, if any.  `kms_key` is not one of them: it encrypts secrets.  Raises `BadStoreURL`.
    """
    word = options.pop("kms", None)
    url, window = options.pop("kms_endpoint_url", ""), options.pop("kms_window", "7d")
    policy = options.pop("kms_policy", "")
    if word is None:
        if url or policy or window != "7d":
            raise _bad("kms_endpoint_url, kms_policy and kms_window mean nothing without kms=sign")
        return None
    if word != "sign":
        raise _bad("its kms is not sign")
    if len(prefix) > LONGEST_PREFIX:
        raise _bad(f"with kms=sign, a prefix has at most {LONGEST_PREFIX} characters")
    return SigningKeys(endpoint(url) or nearby, Path(policy) if policy else None, _days(window))


def _days(text: str) -> int:
    try:
        window = parse_duration(text)
    except BadDuration:
        window = timedelta(0)
    if not _SHORTEST <= window <= _LONGEST or window % timedelta(days=1):
        raise _bad("its kms_window is not a number of days from 7d to 30d")
    return window.days


def _bad(why: str) -> BadStoreURL:
    return BadStoreURL(
        "the awssm store URL can't be used", why=why, fix="write it like awssm://eu-west-1/jwt?kms=sign"
    )
