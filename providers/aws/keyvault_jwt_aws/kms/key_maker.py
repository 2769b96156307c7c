"""Makes keys in KMS: a key of its own for each kid, since asymmetric keys have no versions there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, takewhile
from typing import Any, Final

from keyvault_jwt import jwk
from keyvault_jwt.jwk import VerificationKey
from keyvault_jwt.key_factory import FreshKey

from ..address import Address
from ..errors import ServiceFailed
from .errors import KeyNotMade, NoSuchKey
from .key_book import KeyBook
from .key_form import KeyForm, key_form
from .keyring_tag import keyring_tag, new_tags
from .kms import Kms
from .reference import Reference
from .unclaimed import Unclaimed

_PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.6, *[2.0] * 100)
"""Seconds between looks for a key that was just made: KMS is eventually consistent."""


class KmsKeyMaker:
    """A `KeyFactory` for one keyring."""

    def __init__(
        self,
        kms: Kms,
        book: KeyBook,
        unclaimed: Unclaimed,
        *,
        address: Address,
        ring: str,
        wait: Callable[[float], object],
    ) -> None:
        self._kms, self._book, self._unclaimed = kms, book, unclaimed
        self._address, self._ring, self._wait = address, ring, wait

    def make(self, algorithm: str) -> FreshKey:
        """Return a key that no document names; its kid is the RFC 7638 thumbprint.

        One that an earlier pass of this process made in vain is taken first.  Raises
        `NoSuchAlgorithm`, `KeyNotMade`, and other `StoreError`s.
        """
        form = key_form(algorithm)
        made = self._unclaimed.again(self._ring, algorithm)
        if made is None:
            made = self._unclaimed.add(self._ring, algorithm, self._created(form))
        if made.fresh is None:
            members = jwk.public_members(self._shown(made.arn, form))
            kid = jwk.thumbprint(members)
            reference = str(Reference(made.arn, kid))
            made.fresh = FreshKey(kid=kid, algorithm=algorithm, public=members, reference=reference)
        return made.fresh

    def _created(self, form: KeyForm) -> str:
        """Return the ARN of a new key; an answer that is lost leaves one that `RetiredKeys` finds."""
        keyring = keyring_tag(self._address, self._ring)
        told = self._kms.ask(
            "CreateKey",
            KeySpec=form.specs[0],
            KeyUsage="SIGN_VERIFY",
            Description=f"Signs tokens of the keyring {keyring} ({form.algorithm}), by keyvault-jwt.",
            Tags=new_tags(self._address, self._ring, form.algorithm),
            **self._policy(),
        )
        metadata = told.get("KeyMetadata") or {}
        if not metadata.get("Arn") or metadata.get("KeySpec") != form.specs[0]:
            raise ServiceFailed(
                "KMS's answer tells of no new key",
                why=f"it has no Arn, or is not of spec {form.specs[0]}",
                fix="check the endpoint of KMS, and proxies on the way",
            )
        return str(metadata["Arn"])

    def _policy(self) -> dict[str, Any]:
        keys = self._address.signing_keys
        if keys is None or keys.policy is None:
            return {}
        try:
            return {"Policy": keys.policy.read_text(encoding="utf-8")}
        except (OSError, ValueError) as error:
            raise KeyNotMade(
                f"the key policy {str(keys.policy)!r} can't be read",
                why=type(error).__name__,
                fix="let kms_policy in the store URL name a file that holds one as JSON",
            ) from None

    def _shown(self, arn: str, form: KeyForm) -> VerificationKey:
        """Return the public half of a key as soon as KMS knows it everywhere, within `deadline`."""
        within = takewhile(lambda total: total * 1000 < self._address.deadline, accumulate(_PAUSES))
        for pause, _ in zip(_PAUSES, within, strict=False):
            try:
                return self._book.public_half(arn, form)
            except NoSuchKey:
                self._wait(pause)
        return self._book.public_half(arn, form)
