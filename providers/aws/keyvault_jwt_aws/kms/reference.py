"""Reference: how documents name a key in KMS: `ARN#FINGERPRINT`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from .errors import BadReference

_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]{1,40}):[0-9]{12}:key/[A-Za-z0-9-]{1,64}", re.ASCII)
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """One key by its ARN, and the RFC 7638 thumbprint of the public half that it was made with.

    An alias is none: whoever may move it would have another key sign.
    """

    arn: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.arn}#{self.fingerprint}"

    @classmethod
    def parse(cls, text: str, region: str) -> Self:
        """Return what a reference names; raises `BadReference` if it is none, or of another region."""
        arn, _, fingerprint = text.partition("#")
        if arn.startswith("alias/") or ":alias/" in arn:
            raise _bad("the reference to a key in KMS is an alias", "an alias may be moved to another key")
        found = _ARN.fullmatch(arn)
        if found is None or not _FINGERPRINT.fullmatch(fingerprint):
            raise _bad("the reference to a key in KMS is malformed", "it is not written ARN#FINGERPRINT")
        if found[1] != region:
            raise _bad("the key is in another region", f"it is in {found[1]}, and the store URL in {region}")
        return cls(arn, fingerprint)


def _bad(what: str, why: str) -> BadReference:
    return BadReference(
        what,
        why=why,
        fix="see whether another program wrote the document; open the store by the URL under which the "
        "keyring was made",
    )
