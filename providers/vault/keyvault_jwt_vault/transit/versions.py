"""Trims Transit keys: what no document refers to any more can't sign again, and is destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keyvault_jwt import jwk
from keyvault_jwt.remote_signer import RemoteKey

from ..address import Address
from ..errors import NoSuchVersion, ServerFailed
from .key_form import KeyForm, key_form
from .key_name import Reference, key_name
from .mount import TransitMount


class TransitVersions:
    """The versions of one keyring's Transit keys.

    A version can go when none that is lower is still referred to.  What is newer than every
    version that a document has ever named may be another rotator's, not yet committed: it stays.
    Minimums are only ever raised, so that repeating this, or doing it late, does no harm.
    """

    def __init__(self, mount: TransitMount, address: Address, ring: str) -> None:
        self._mount, self._address, self._ring = mount, address, ring

    def keep(self, algorithm: str, keys: Iterable[RemoteKey]) -> None:
        """Destroy the versions of the algorithm's key below every one that is still referred to.

        Raises `BadReference`, `NoSuchVersion`, and other `StoreError`s.
        """
        form, name = key_form(algorithm), key_name(self._address, self._ring, algorithm)
        told = tuple(keys)
        kept = [self._version(key.reference, name, algorithm) for key in told if key.reference is not None]
        answer = self._mount.read(f"keys/{name}")
        if answer.status == 404 and not kept:
            return
        data = answer.data
        latest = _count(name, data, "latest_version")
        if kept and (answer.status == 404 or max(kept) > latest):
            raise _lost(name, max(kept))
        floor = min(kept) if kept else self._after_gone(form, data, told)
        if floor > latest:
            # Nothing is referred to any more: a version that nobody uses lets the last used one go.
            self._write(f"keys/{name}/rotate", {})
        self._raise_to(name, floor, data)

    def _version(self, text: str, name: str, algorithm: str) -> int:
        reference = Reference.parse(text)
        reference.require(self._mount.name, name, algorithm)
        return reference.version

    def _after_gone(self, form: KeyForm, data: Mapping[str, Any], keys: tuple[RemoteKey, ...]) -> int:
        """Return the version after the last that a document once named: they are told by public half."""
        gone, versions = {key.fingerprint for key in keys}, data.get("keys")
        shown = versions.items() if isinstance(versions, dict) else ()
        known = [
            int(number)
            for number, told in shown
            if jwk.thumbprint(jwk.public_members(form.public_half(told))) in gone
        ]
        return max(known, default=0) + 1

    def _raise_to(self, name: str, floor: int, data: Mapping[str, Any]) -> None:
        minimums = ("min_decryption_version", "min_encryption_version")
        low = {minimum: floor for minimum in minimums if _count(name, data, minimum) < floor}
        if low and floor > 1:
            self._write(f"keys/{name}/config", low)
        if floor > 1 and _count(name, data, "min_available_version") < floor:
            self._write(f"keys/{name}/trim", {"min_available_version": floor})

    def _write(self, path: str, body: Mapping[str, Any]) -> None:
        answer = self._mount.write(path, body)
        if answer.status not in {200, 204}:
            raise ServerFailed(
                f"Transit refuses {path}",
                why=f"it answered {answer.status} {answer.errors}".strip(),
                fix="another rotator may be trimming, too: the next pass looks again",
            )


def _count(name: str, data: Mapping[str, Any], member: str) -> int:
    count = data.get(member, 0)
    if not isinstance(count, int):
        raise ServerFailed(
            f"Transit tells no {member} of {name!r}",
            why="what it tells is no number",
            fix="check that the mount named by ?transit= is the Transit engine",
        )
    return count


def _lost(name: str, version: int) -> NoSuchVersion:
    return NoSuchVersion(
        f"Transit has no version {version} of {name!r}",
        why="documents name it: the mount was replaced, or an older state of it restored",
        fix="restore the server's storage as a whole, or `revoke` the keys that are lost",
    )
