"""Makes keys in Transit: each is a new version of the one Transit key of its keyring and algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keyvault_jwt import jwk
from keyvault_jwt.key_factory import FreshKey

from ..address import Address
from ..answer import Answer
from ..errors import NoSuchAlgorithm, ServerFailed
from .key_form import KeyForm, key_form
from .key_name import Reference, key_name
from .mount import TransitMount

_NOT_THERE: Final = "key not found"


class TransitKeyMaker:
    """A `KeyFactory` for one keyring.

    A rotation's answer tells its own new version, so that two rotators never take the same one.
    Creating a key does not tell whether it was there before: so version 1 is nobody's, and goes
    with the first that is trimmed.
    """

    def __init__(self, mount: TransitMount, address: Address, ring: str) -> None:
        self._mount, self._address, self._ring = mount, address, ring

    def make(self, algorithm: str) -> FreshKey:
        """Return a new version; its kid is the RFC 7638 thumbprint.

        Raises `NoSuchAlgorithm`, `WrongTransitKey`, and other `StoreError`s.
        """
        form = key_form(algorithm)
        name = key_name(self._address, self._ring, algorithm)
        data = self._rotated(form, name)
        form.require_type(name, data)
        version = data.get("latest_version")
        versions = data.get("keys")
        if not isinstance(version, int) or not isinstance(versions, dict):
            raise _nothing_told(name)
        public = jwk.public_members(form.public_half(versions.get(str(version))))
        return FreshKey(
            kid=jwk.thumbprint(public),
            algorithm=algorithm,
            public=public,
            reference=str(Reference(self._mount.name, name, version)),
        )

    def _rotated(self, form: KeyForm, name: str) -> Mapping[str, Any]:
        answer = self._mount.write(f"keys/{name}/rotate", {})
        if answer.status == 400 and _NOT_THERE in answer.errors:
            self._create(form, name)
            answer = self._mount.write(f"keys/{name}/rotate", {})
        if answer.status not in {200, 204}:
            raise _refused(name, answer)
        if not answer.data:  # a server before 2023, which tells nothing: what is read may be another's
            answer = self._mount.read(f"keys/{name}")
        return answer.data

    def _create(self, form: KeyForm, name: str) -> None:
        """Make the key if it is not there; Transit's defaults are neither exportable nor backed up."""
        answer = Answer(0)
        for kind in form.types:
            answer = self._mount.write(f"keys/{name}", kind)
            if answer.status in {200, 204}:
                return
        if "unknown key type" in answer.errors:
            raise NoSuchAlgorithm(
                f"this server's Transit has no {form.algorithm} keys",
                why=answer.errors,
                fix="use ES256, or a server that has them",
            )
        raise _refused(name, answer)


def _refused(name: str, answer: Answer) -> ServerFailed:
    return ServerFailed(
        f"Transit makes no new version of {name!r}",
        why=f"it answered {answer.status} {answer.errors}".strip(),
        fix="see the key with `bao read`, and the server's log",
    )


def _nothing_told(name: str) -> ServerFailed:
    return ServerFailed(
        f"Transit tells nothing of the new version of {name!r}",
        why="its answer lacks latest_version or keys",
        fix="check that the mount named by ?transit= is the Transit engine",
    )
