"""RetiredKeys: schedules keys for deletion that their keyring will never need, and misses those it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from keyvault_jwt import jwk
from keyvault_jwt.errors import StoreError
from keyvault_jwt.remote_signer import RemoteKey

from ..address import Address
from ..service import Service
from . import keyring_tag
from .errors import KeyPendingDeletion, NoSuchKey
from .key_book import loaded
from .key_form import KEY_FORMS
from .kms import Kms, unusable
from .reference import Reference

CLOCKS: Final = timedelta(minutes=1)
"""How far apart the times at which KMS says that it made two keys may be wrong."""
_USABLE: Final = "Enabled"
_GOING: Final = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


class RetiredKeys:
    """The keys of one keyring: those that documents name, those that once were named, and orphans.

    An orphan was made by a rotator that died or lost a race.  Whoever is to commit a key made it on
    the revision that the commit replaces.  So a key that is older than any one of a committed
    revision, and is not named there, never will be; a newer one may be another rotator's, and stays.
    """

    def __init__(self, kms: Kms, tagging: Service, address: Address, ring: str) -> None:
        self._kms, self._tagging, self._address, self._ring = kms, tagging, address, ring

    def keep(self, keys: Iterable[RemoteKey]) -> None:
        """Let everything go but `keys`, and what may be a fresh key of another rotator.

        Raises `NoSuchKey`, `KeyDisabled` or `KeyPendingDeletion`, afterwards, for one that is still
        needed, and other `StoreError`s.
        """
        told = tuple(keys)
        named = [Reference.parse(key.reference, self._kms.region).arn for key in told if key.reference]
        held = {arn: self._metadata(arn) for arn in named}
        gone = {key.fingerprint for key in told if key.reference is None}
        others = {arn: self._metadata(arn) for arn in self._tagged() if arn not in held}
        left = {arn: about for arn, about in others.items() if about and about["KeyState"] not in _GOING}
        once_named = {arn for arn, about in left.items() if gone and self._fingerprint(arn, about) in gone}
        known = [about for about in held.values() if about] + [left[arn] for arn in once_named]
        newest = max((_made(about) for about in known), default=None)
        for arn, about in left.items():
            if arn in once_named or (newest is not None and _made(about) < newest - CLOCKS):
                self.let_go(arn)
        for arn, about in held.items():
            _require_usable(arn, about)

    def let_go(self, arn: str) -> None:
        """Schedule a key for deletion; from now on it signs no more.  It may already be."""
        keys = self._address.signing_keys
        assert keys is not None
        key_id = arn.rpartition("/")[2]  # no key of another account can be deleted, and moto takes no ARN
        try:
            self._kms.ask("ScheduleKeyDeletion", key_id, PendingWindowInDays=keys.window)
        except (KeyPendingDeletion, NoSuchKey):
            return

    def _metadata(self, arn: str) -> Mapping[str, Any]:
        try:
            about: Mapping[str, Any] = self._kms.ask("DescribeKey", arn)["KeyMetadata"]
        except NoSuchKey:
            return {}
        return about

    def _tagged(self) -> list[str]:
        """Return the ARNs of the keyring's keys; a new one may be missing for minutes."""
        ours = keyring_tag.keyring_tag(self._address, self._ring)
        filters = {
            "TagFilters": [{"Key": keyring_tag.KEYRING, "Values": [ours]}],
            "ResourceTypeFilters": ["kms:key"],
        }
        found: list[str] = []
        token = None
        while token != "":
            page = {**filters, "ResourcesPerPage": 100, **({"PaginationToken": token} if token else {})}
            body = self._tagging.request("get_resources", page).body
            for resource in body.get("ResourceTagMappingList", ()):
                tags = keyring_tag.told(resource.get("Tags", ()), "Key", "Value")
                if tags.get(keyring_tag.KEYRING) == ours and tags.get(keyring_tag.ALGORITHM) in KEY_FORMS:
                    found.append(resource["ResourceARN"])
            token = body.get("PaginationToken") or ""
        return found

    def _fingerprint(self, arn: str, about: Mapping[str, Any]) -> str:
        """Return the thumbprint of a key's public half; empty for one that can't be asked for it."""
        if about["KeyState"] != _USABLE:
            return ""
        try:
            public = loaded(arn, self._kms.ask("GetPublicKey", arn))
        except StoreError:
            return ""
        return jwk.thumbprint(jwk.public_members(public))


def _made(about: Mapping[str, Any]) -> datetime:
    made: datetime = about["CreationDate"]
    return made


def _require_usable(arn: str, about: Mapping[str, Any]) -> None:
    if not about:
        raise NoSuchKey(
            f"there is no KMS key {arn}",
            why="documents name it: it was deleted, or an older state of them was restored",
            fix="what is deleted there is lost: `revoke` the key, and let new ones be made",
        )
    if about["KeyState"] not in {_USABLE, "Creating", "Updating"}:
        raise unusable(arn, about["KeyState"], f"its state is {about['KeyState']}, and documents name it")
