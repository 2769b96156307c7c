"""The life of JWT signing keys: made, published, rotated, revoked, verified.

    import keyvault_jwt as kj

    store = kj.open_store("file:./keys")
    manager = kj.KeyManager(store)
    manager.create("payments", kj.RotationPolicy(algorithm="ES256"), issuer="https://id.example")
    token = kj.Signer(store, "payments", issuer="https://id.example").sign({"sub": "u1", "aud": "api"})

Each name is imported when it is first touched (PEP 562), so that a service pays only for the
part it uses.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .cache import JWKSCache
    from .errors import KeyvaultJWTError
    from .key_manager import KeyManager
    from .keyring import Keyring
    from .keys import KeyState
    from .keyset import KeySource
    from .multi_issuer import MultiIssuer
    from .plan import Plan
    from .policy import RotationPolicy
    from .publisher import Publisher
    from .report import Report
    from .scheduler import RotationScheduler
    from .signer import Signer
    from .store_url import open_store
    from .verification_errors import InvalidToken, KeysUnavailable, VerificationError
    from .verifier import Verifier

__all__ = [
    "InvalidToken",
    "JWKSCache",
    "KeyManager",
    "KeySource",
    "KeyState",
    "Keyring",
    "KeysUnavailable",
    "KeyvaultJWTError",
    "MultiIssuer",
    "Plan",
    "Publisher",
    "Report",
    "RotationPolicy",
    "RotationScheduler",
    "Signer",
    "VerificationError",
    "Verifier",
    "__version__",
    "open_store",
]

if not TYPE_CHECKING:  # a checker that saw __getattr__ would take any misspelt name for a public one
    _HOMES = MappingProxyType(
        {
            "InvalidToken": "verification_errors",
            "JWKSCache": "cache",
            "KeyManager": "key_manager",
            "KeySource": "keyset",
            "KeyState": "keys",
            "Keyring": "keyring",
            "KeysUnavailable": "verification_errors",
            "KeyvaultJWTError": "errors",
            "MultiIssuer": "multi_issuer",
            "Plan": "plan",
            "Publisher": "publisher",
            "Report": "report",
            "RotationPolicy": "policy",
            "RotationScheduler": "scheduler",
            "Signer": "signer",
            "VerificationError": "verification_errors",
            "Verifier": "verifier",
            "open_store": "store_url",
        }
    )

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
