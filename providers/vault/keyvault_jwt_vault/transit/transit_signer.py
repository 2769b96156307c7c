"""Signs with one version of a Transit key."""

from __future__ import annotations

from base64 import b64encode

from ..address import Address
from ..answer import Answer
from ..errors import NoSuchVersion, ServerFailed, WrongTransitKey
from .key_form import KeyForm, key_form
from .key_name import Reference, key_names
from .mount import TransitMount


class TransitSigner:
    """Asks Transit for signatures, one request for each."""

    def __init__(self, mount: TransitMount, address: Address) -> None:
        self._mount, self._address = mount, address

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        """Raise `BadReference` unless the reference names a key of this keyring and algorithm."""
        begins = key_names(self._address, ring)
        Reference.parse(reference).require(self._mount.name, begins, algorithm)

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data` by exactly the version that `reference` names.

        Raises `BadReference`, `NoSuchVersion`, `WrongTransitKey`, and other `StoreError`s.
        """
        form, which = key_form(algorithm), Reference.parse(reference)
        which.require(self._mount.name, key_names(self._address), algorithm)
        body = {"input": b64encode(data).decode(), "key_version": which.version, **form.options}
        answer = self._mount.write(f"sign/{which.name}", body)
        if answer.status != 200:
            raise _refused(which, answer)
        return _signature(form, which, answer.data.get("signature"))


def _signature(form: KeyForm, which: Reference, told: object) -> bytes:
    service, _, rest = told.partition(":") if isinstance(told, str) else ("", "", "")
    version, _, text = rest.partition(":")
    try:
        if service != "vault" or version != f"v{which.version}" or not text:
            raise ValueError
        return form.signature(text)
    except ValueError:
        raise ServerFailed(
            f"Transit's answer is no signature by version {which.version} of {which.name!r}",
            why="it does not begin with that version, or is not base64",
            fix="check that the mount named by ?transit= is the Transit engine",
        ) from None


def _refused(which: Reference, answer: Answer) -> NoSuchVersion | WrongTransitKey:
    if answer.status == 404 or "key not found" in answer.errors:
        return NoSuchVersion(
            f"there is no Transit key {which.name!r}",
            why=answer.errors or "nothing is there",
            fix="restore it with the server's storage, or `revoke` its keys and let new ones be made",
        )
    return WrongTransitKey(
        f"the Transit key {which.name!r} does not sign as its name says",
        why=f"it answered {answer.status} {answer.errors}".strip(),
        fix="see its type with `bao read`",
    )
