"""Remains: what somebody finds who may read every secret, and every version of each."""

from __future__ import annotations

from base64 import b64decode

from keyvault_jwt.store import DocumentName, Version
from keyvault_jwt_aws.separate.version_key import VersionKey
from tests.aws.documented_secret import DocumentedSecret
from tests.aws.strict_secretsmanager import StrictSecretsManager


class Remains:
    """The secrets below a prefix as they are documented to be."""

    def __init__(self, strict: StrictSecretsManager, prefix: str) -> None:
        self._strict, self._prefix = strict, prefix

    def secret(self, name: DocumentName) -> DocumentedSecret:
        """Return a document's secret."""
        return self._strict.region().secrets[f"{self._prefix}/{name}"]

    def age(self, hours: float) -> None:
        """Let time go by for Secrets Manager."""
        self._strict.region().hours += hours

    def key_secret(self, name: DocumentName, version: Version) -> str:
        """Return the name of a key's secret."""
        return f"{self._prefix}/{name}-key-{version}"

    def keys(self, name: DocumentName) -> set[Version]:
        """Return the versions of which there is a key."""
        start = f"{self._prefix}/{name}-key-"
        return {
            Version(secret.removeprefix(start))
            for secret in self._strict.region().secrets
            if secret.startswith(start)
        }

    def stored(self, name: DocumentName) -> dict[Version, bytes]:
        """Return the bytes of every version that there still is."""
        return {Version(version): _bytes(held.value) for version, held in self.secret(name).versions.items()}

    def readable(self, name: DocumentName) -> dict[Version, bytes]:
        """Return what can be read of each version, by whatever keys are left."""
        found = {}
        for version, stored in self.stored(name).items():
            head, _, data = stored.partition(b"\n")
            if b'"sealed":true' not in head:
                found[version] = data
                continue
            for key in self.keys(name):
                held = self._strict.region().secrets[self.key_secret(name, key)]
                secret = b64decode(_bytes(held.versions[key].value))
                opened = VersionKey(name, version, secret).open(data)
                if opened is not None:
                    found[version] = opened
        return found

    def everything(self) -> bytes:
        """Return all that is stored below the prefix, one after another."""
        return b"\n".join(
            _bytes(version.value)
            for name, secret in self._strict.region().secrets.items()
            if name.startswith(f"{self._prefix}/")
            for version in secret.versions.values()
        )


def _bytes(value: str | None) -> bytes:
    kind, _, text = (value or "text ").partition(" ")
    return text.encode() if kind == "text" else b64decode(text)
