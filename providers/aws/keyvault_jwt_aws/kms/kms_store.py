"""`awssm://REGION/PREFIX?kms=sign`: documents in Secrets Manager, private halves in KMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from keyvault_jwt.errors import StoreError
from keyvault_jwt.per_process import PerProcess
from keyvault_jwt.remote_signer import RemoteKey
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version, Versioned

from ..secrets_store import LIMITS, AwsStore
from ..service import Service
from .key_book import KeyBook
from .key_maker import KmsKeyMaker
from .kms import Kms
from .kms_signer import KmsSigner
from .retired_keys import RetiredKeys
from .unclaimed import Unclaimed


class KmsStore(AwsStore):
    """An `AwsStore` whose keyrings sign in KMS; thread-safe and fork-safe.

    It also is a `RemoteSigner`, makes keys (`MakesKeys`) and lets them go (`RetiresKeys`).
    Documents name each key by `ARN#FINGERPRINT`.
    """

    def __init__(
        self,
        service: Service,
        *,
        replica: Service | None = None,
        limits: Limits = LIMITS,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__(service, replica=replica, limits=limits, wait=wait)
        address = service.address
        assert address.signing_keys is not None
        elsewhere = replace(address, endpoint_url=address.signing_keys.endpoint_url)
        self._kms = Kms(Service(replace(elsewhere, service="kms")))
        self._tagging = Service(replace(elsewhere, service="resourcegroupstaggingapi"))
        self._book = KeyBook(self._kms)
        self._signer = KmsSigner(self._kms, self._book, address)
        self._unclaimed = PerProcess(Unclaimed)

    def __repr__(self) -> str:
        return f"KmsStore({self._address.region!r}, {self._address.prefix!r})"

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        """Raise `BadReference` unless the reference names a key of this keyring and algorithm."""
        self._signer.require(ring, reference, algorithm)

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data`; raises `StoreError`s."""
        return self._signer.sign(reference, algorithm, data)

    def key_factory(self, ring: str) -> KmsKeyMaker:
        """Return what makes the keyring's keys."""
        unclaimed = self._unclaimed.get()
        return KmsKeyMaker(
            self._kms, self._book, unclaimed, address=self._address, ring=ring, wait=self._wait
        )

    def keep(self, ring: str, keys: Iterable[RemoteKey]) -> None:
        """Schedule for deletion what the keyring needs no more; raises `StoreError`s."""
        self._retired(ring).keep(keys)

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None, as `AwsStore` does."""
        found = super().read(name)
        self._note(name, found)
        return found

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected`, as `AwsStore` does."""
        version = super().replace(name, draft, expected=expected)
        self._note(name, Versioned(draft, version))
        return version

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._kms.close()
        self._tagging.close()

    def _note(self, name: DocumentName, found: Versioned | None) -> None:
        """Let go of keys that this process made in vain; what fails to go is found by its tags later."""
        if name.kind is not DocumentKind.AUTHORITY:
            return
        for arn in self._unclaimed.get().seen(name.ring, found):
            with suppress(StoreError):
                self._retired(name.ring).let_go(arn)

    def _retired(self, ring: str) -> RetiredKeys:
        return RetiredKeys(self._kms, self._tagging, self._address, ring)
