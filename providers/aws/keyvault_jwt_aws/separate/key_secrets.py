"""KeySecrets: the keys of versions, each a secret of its own beside the document's.

    PREFIX/RING/authority-key-VERSION     PREFIX/RING/signing-key-VERSION

A version of a secret can't be deleted, a secret can: what was sealed under it is gone with it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from keyvault_jwt.errors import Conflict, StoreError, StoreUnavailable
from keyvault_jwt.store import DocumentName, Version

from ..errors import ServiceFailed
from ..secret_name import secret_name
from ..service import Service
from ..versions import CURRENT
from .version_key import KEY_BYTES, VersionKey

INFIX: Final = "-key-"
"""What stands between a document's secret and the version, in the name of the version's key."""

_EXISTS: Final = "ResourceExistsException"
_GONE: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""A secret that is being deleted is refused by the second of these."""


class KeySecrets:
    """The keys of versions in one store; `given` is what the store gives each secret that it makes."""

    def __init__(self, service: Service, given: Mapping[str, Any]) -> None:
        self._service, self._given = service, given
        self._last: dict[DocumentName, Version] = {}

    def keep(self, key: VersionKey) -> None:
        """Make the key's secret; raises `Conflict` if it is being deleted, so that its version has lost.

        A write that is repeated makes no second one: it might be a key to what others gave up.
        """
        if self._last.get(key.name) != key.version:
            self._make(key)
        self._last[key.name] = key.version

    def find(self, name: DocumentName, version: Version) -> VersionKey | None:
        """Return the version's key; None if it is gone."""
        asked = {"SecretId": self._secret(name, version), "VersionStage": CURRENT}
        answer = self._service.request("get_secret_value", asked, expecting=_GONE)
        if answer.code:
            return None
        try:
            secret = b64decode(str(answer.body.get("SecretString", "")), validate=True)
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ServiceFailed(
                f"the key of version {version} of {name} is no key",
                why="its secret holds something else",
                fix="find out who wrote it; move the secret of `authority` away and run `recover`",
            )
        return VersionKey(name, version, secret)

    def destroy(self, name: DocumentName, version: Version) -> None:
        """Delete the version's key at once and for good; one that is not there is as good as deleted."""
        asked = {"SecretId": self._secret(name, version), "ForceDeleteWithoutRecovery": True}
        self._service.request("delete_secret", asked, expecting=frozenset({"ResourceNotFoundException"}))

    def left_of(self, name: DocumentName, versions: list[Version]) -> tuple[list[Version], str]:
        """Delete the versions' keys; return those of which one may be left, and the last error's code.

        It is clean-up, and raises nothing: one key that nobody may delete does not keep the others.
        """
        left: list[Version] = []
        code = ""
        for at, version in enumerate(versions):
            try:
                self.destroy(name, version)
            except StoreUnavailable as error:
                return left + versions[at:], error.code
            except StoreError as error:
                left.append(version)
                code = error.code
        return left, code

    def _make(self, key: VersionKey) -> None:
        asked = {
            "Name": self._secret(key.name, key.version),
            "ClientRequestToken": key.version,
            "Description": "The key of one version of a document of keyvault-jwt; deleted with the version.",
            "SecretString": b64encode(key.secret).decode(),
            **self._given,
        }
        answer = self._service.request("create_secret", asked, expecting=_GONE | {_EXISTS})
        if answer.code == _EXISTS and self.find(key.name, key.version) != key:
            raise ServiceFailed(
                f"the key of version {key.version} of {key.name} is another one",
                why=answer.message,
                fix="find out who makes secrets of such names; nothing was changed",
            )
        if answer.code in _GONE:
            raise _conflict(key)

    def _secret(self, name: DocumentName, version: Version) -> str:
        return f"{secret_name(self._service.address.prefix, name)}{INFIX}{version}"


def _conflict(key: VersionKey) -> Conflict:
    return Conflict(
        f"{key.name} is not as it was read",
        why="another writer was first",
        fix="read it again and decide again",
    )
