"""PyJWT's `PyJWKClient` over our cache, so that a service switches by changing one import.

    from keyvault_jwt.pyjwt_compat import PyJWKClient

Everything else stays: `jwt.decode(token, client.get_signing_key_from_jwt(token), …)`.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from jwt.algorithms import get_default_algorithms

from . import compact, jwks
from .algorithms import VERIFY_ALIASES, algorithm_named
from .cache import WAITING_THREADS, JWKSCache
from .errors import KeyvaultJWTError, WrongKeyType
from .jwks import ParsedKey
from .keyset import KeySet
from .verification_errors import AlgorithmRefused, AmbiguousKey, KeysUnavailable, UnknownKey

_PYJWT_NAMES = {new: old for old, new in VERIFY_ALIASES.items()}
"""PyJWT knows Ed25519 by its older name."""


class PyJWKClient:
    """As PyJWT's: same arguments, same methods, and errors that are its errors too.

    What differs: a key is never kept past what its set allows, so `cache_keys`,
    `max_cached_keys` and `cache_jwk_set` change nothing; `lifespan` (seconds) is how long a set
    serves at most before it is asked for again; HTTPS is asked for except on this machine,
    unless `allow_plain_http`; `state`, `waiting_threads` and `close` are those of `JWKSCache`.
    """

    def __init__(  # noqa: PLR0917  (PyJWT's own signature)
        self,
        uri: str,
        cache_keys: bool = False,  # noqa: ARG002
        max_cached_keys: int = 16,  # noqa: ARG002
        cache_jwk_set: bool = True,  # noqa: ARG002
        lifespan: float = 300,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
        ssl_context: ssl.SSLContext | None = None,
        cooldown_duration: float = 30,
        *,
        allow_plain_http: bool = False,
        state: Path | None = None,
        waiting_threads: int = WAITING_THREADS,
    ) -> None:
        self.uri = uri
        lasting = timedelta(seconds=lifespan)
        self._cache = JWKSCache(
            uri,
            default_ttl=lasting,
            max_ttl=lasting,
            timeout=timedelta(seconds=timeout),
            cooldown=timedelta(seconds=cooldown_duration or 0.001),
            headers=headers,
            tls=ssl_context,
            allow_plain_http=allow_plain_http,
            state=state,
            waiting_threads=waiting_threads,
        )

    def close(self) -> None:
        """Stop refreshing."""
        self._cache.close()

    def fetch_data(self) -> dict[str, Any]:
        """Fetch the set now and return it as JSON; raises `KeysUnavailable`."""
        return {"keys": [_members(key) for key in self._keys(refresh=True).keys]}

    def get_jwk_set(self, refresh: bool = False) -> jwt.PyJWKSet:
        """Return the set; raises `KeysUnavailable` or PyJWT's `PyJWKSetError` if none of it is usable."""
        return jwt.PyJWKSet.from_dict({"keys": [_members(key) for key in self._keys(refresh).keys]})

    def get_signing_keys(self, refresh: bool = False) -> list[jwt.PyJWK]:
        """Return the keys that have a kid and that PyJWT can use; raises `UnknownKey` if there are none."""
        keys = [_for_pyjwt(key) for key in self._keys(refresh).keys if key.kid and _suits_pyjwt(key)]
        if not keys:
            raise UnknownKey("the JWKS endpoint did not contain any signing keys")
        return keys

    def get_signing_key(self, kid: str) -> jwt.PyJWK:
        """Return the key of that kid, asking the endpoint for it within bounds.

        Raises `UnknownKey`, `AmbiguousKey` or `KeysUnavailable`.
        """
        if not isinstance(kid, str):
            raise UnknownKey("the kid is not text")
        keys = self._keys()
        if not keys.has(kid):
            keys = self._cache.find(kid, keys)
        named = [key for key in keys.keys if key.kid == kid]
        if len(named) > 1:
            raise AmbiguousKey(f"{len(named)} keys have this kid", fix="use get_signing_key_from_jwt")
        if not named:
            raise UnknownKey("unable to find a signing key that matches the kid")
        return _for_pyjwt(named[0])

    def get_signing_key_from_jwt(self, token: str | bytes) -> jwt.PyJWK:
        """Return the one key that the token's header means; nothing of the token is verified.

        Raises `MalformedToken`, `AlgorithmRefused`, `UnknownKey` or `KeysUnavailable`.
        """
        header = compact.parse_header(compact.split(token).header)
        try:
            algorithm = algorithm_named(header.alg, verifying=True)
        except WrongKeyType:
            raise AlgorithmRefused("the token's algorithm is not one we know") from None
        keys = self._keys()
        bound = keys.find(header.kid, algorithm)
        if bound is None:
            bound = self._cache.find(header.kid, keys).find(header.kid, algorithm)
        if bound is None:
            raise UnknownKey("unable to find a signing key that matches the token's header")
        return _for_pyjwt(bound.key, algorithm.name)

    @staticmethod
    def match_kid(signing_keys: list[jwt.PyJWK], kid: str) -> jwt.PyJWK | None:
        """Return the first of the keys that has the kid."""
        return next((key for key in signing_keys if key.key_id == kid), None)

    def _keys(self, refresh: bool = False) -> KeySet:
        if refresh:
            try:
                self._cache.refresh()
            except KeyvaultJWTError as error:
                raise KeysUnavailable(error.what, why=error.why, fix=error.fix) from None
        return self._cache.current() or self._cache.find(None, None)


def _members(key: ParsedKey) -> dict[str, Any]:
    members: dict[str, Any] = dict(jwks.public_jwk(key))
    if "alg" in members:
        members["alg"] = _PYJWT_NAMES.get(members["alg"], members["alg"])
    return members


def _suits_pyjwt(key: ParsedKey) -> bool:
    known = get_default_algorithms()
    return any(_PYJWT_NAMES.get(name, name) in known for name in key.algorithms)


def _for_pyjwt(key: ParsedKey, algorithm: str | None = None) -> jwt.PyJWK:
    return jwt.PyJWK(_members(key), algorithm=_PYJWT_NAMES.get(algorithm or "", algorithm))
