"""Signs with keys in KMS."""

from __future__ import annotations

from ..address import Address
from ..errors import ServiceFailed
from . import keyring_tag
from .errors import BadReference
from .key_book import KeyBook, KmsKey
from .key_form import key_form
from .kms import Kms
from .reference import Reference


class KmsSigner:
    """Asks KMS for signatures, one request for each."""

    def __init__(self, kms: Kms, book: KeyBook, address: Address) -> None:
        self._kms, self._book, self._address = kms, book, address

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        """Raise `BadReference` unless the key is tagged as this keyring's; asked of KMS once for each key.

        Raises `WrongKey`, and other `StoreError`s, too.
        """
        key, wanted = self._key(reference, algorithm), keyring_tag.keyring_tag(self._address, ring)
        if key.keyring != wanted:
            raise _foreign(key, wanted)

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data` by exactly the key that `reference` names.

        Raises `BadReference`, `MessageTooLong`, `KeyDisabled`, and other `StoreError`s.
        """
        form, key = key_form(algorithm), self._key(reference, algorithm)
        kind, message = form.message(key.public, data)
        told = self._kms.ask(
            "Sign", key.arn, Message=message, MessageType=kind, SigningAlgorithm=form.signing
        )
        try:
            if told.get("KeyId") != key.arn or told.get("SigningAlgorithm") != form.signing:
                raise ValueError
            return form.signature(bytes(told["Signature"]))
        except (KeyError, TypeError, ValueError):
            raise ServiceFailed(
                f"KMS's answer is no {form.signing} signature by {key.arn}",
                why="it names another key or algorithm, or holds no signature of that form",
                fix="check the endpoint of KMS, and proxies on the way",
            ) from None

    def _key(self, reference: str, algorithm: str) -> KmsKey:
        form, which = key_form(algorithm), Reference.parse(reference, self._kms.region)
        key = self._book.key(which, form)
        if not keyring_tag.is_of_place(self._address, key.keyring):
            raise _foreign(key, keyring_tag.keyring_tag(self._address, "…"))
        return key


def _foreign(key: KmsKey, wanted: str) -> BadReference:
    return BadReference(
        f"the KMS key {key.arn} is not this keyring's",
        why=f"its tag {keyring_tag.KEYRING} is {key.keyring[:300]!r}, and not {wanted!r}",
        fix="find out who wrote the document that names it",
    )
