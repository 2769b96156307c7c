"""Which secrets a policy is about: their ARNs, for one keyring or for all.

AWS ends each secret's ARN with a dash and six characters of its own, for which a policy writes
`-??????`: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from keyvault_jwt.store import DocumentKind

from ..address import Address
from ..separate.key_secrets import INFIX
from ..separate.separate_store import SEPARATED
from .statement import Conditions

EVERY_RING: Final = "*"
ACCOUNT: Final = "*"
"""No store URL tells the account.  By itself a role's policy reaches no other account's secrets."""
_SUFFIX: Final = "-??????"
_PARTITIONS: Final = MappingProxyType(
    {
        "cn-": "aws-cn",
        "us-gov-": "aws-us-gov",
        "us-iso-": "aws-iso",
        "us-isob-": "aws-iso-b",
        "us-isof-": "aws-iso-f",
        "eu-isoe-": "aws-iso-e",
        "eusc-": "aws-eusc",
    }
)


def partition_of(region: str) -> str:
    """Return the partition of a region: `aws` except for China, the governments' and the sovereign ones.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


@dataclass(frozen=True, slots=True)
class SecretARNs:
    """The secrets of one keyring below an address, or of every one if `ring` is `*`."""

    address: Address
    ring: str

    def written(self, *kinds: DocumentKind) -> tuple[str, ...]:
        """Return the ARNs of these documents where they are written."""
        return tuple(self._arn(self.address.region, kind, _SUFFIX) for kind in kinds)

    def read(self, *kinds: DocumentKind) -> tuple[str, ...]:
        """Return the ARNs of these documents wherever they are read, be they there or not.

        By what ARN AWS judges a request for a secret that is not there is not documented.  Were it
        the bare name's, `-??????` alone would have absence told as a denial.  No secret's ARN is
        the bare name of ours, since none of those ends with a dash and six characters.
        """
        regions = dict.fromkeys((self.address.region, self.address.read_from or self.address.region))
        return tuple(
            self._arn(region, kind, suffix)
            for region in regions
            for kind in kinds
            for suffix in (("",) if kind is DocumentKind.ARCHIVE else ("", _SUFFIX))
        )

    def no_deeper(self, key: str, *kinds: DocumentKind) -> Conditions:
        """Return the condition that keeps a `*` in these documents' ARNs from reaching over a slash.

        An ARN's `*` also covers slashes, and so a keyring `team/keys` of another store below the
        same prefix, or `archive-keys` below a keyring.  `key` tells the secret as it was asked for.
        """
        if self.ring != EVERY_RING and DocumentKind.ARCHIVE not in kinds:
            return {}
        return self._not_below(key)

    def keys(self, *kinds: DocumentKind) -> tuple[str, ...]:
        """Return the ARNs of the keys of these documents' versions."""
        region = self.address.region
        return tuple(self._named(region, f"{kind}{INFIX}*") for kind in kinds if kind in SEPARATED)

    def keys_no_deeper(self, key: str) -> Conditions:
        """Return the condition of `no_deeper` for the ARNs of keys, which all have a `*`."""
        return self._not_below(key)

    def _not_below(self, key: str) -> Conditions:
        below = "*/*/*" if self.ring == EVERY_RING else f"{self.ring}/*/*"
        return {"StringNotLike": {key: f"*{self._below(below)}".replace("**", "*")}}

    def _arn(self, region: str, kind: DocumentKind, suffix: str) -> str:
        return self._named(region, f"{kind}-*" if kind is DocumentKind.ARCHIVE else f"{kind}{suffix}")

    def _named(self, region: str, leaf: str) -> str:
        name = self._below(f"{self.ring}/{leaf}")
        return f"arn:{partition_of(region)}:secretsmanager:{region}:{ACCOUNT}:secret:{name}"

    def _below(self, rest: str) -> str:
        return f"{self.address.prefix}/{rest}" if self.address.prefix else rest
