"""What it costs to sign a token, beside the bare signature of the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

import keyvault_jwt as kj

from .figure import Figure
from .paired import ratio
from .token_keys import AUDIENCE, ISSUER, token_key

RING = "payments"


def signed_vs_raw(algorithm: str) -> float:
    """Return the time of signing claims of a caller's over that of the bare signature."""
    sign = _bare(algorithm)
    with tempfile.TemporaryDirectory() as folder:
        store = kj.open_store(f"file:{Path(folder) / 'keys'}")
        with kj.KeyManager(store, listener=lambda _event: None) as manager:
            manager.create(RING, kj.RotationPolicy(algorithm=algorithm), issuer=ISSUER)
            with kj.Signer(store, RING, issuer=ISSUER, listener=lambda _event: None) as signer:
                token = signer.sign({"sub": "u1", "aud": AUDIENCE, "scope": "read"})
                data = token.rpartition(".")[0].encode()
                return ratio(
                    lambda _: signer.sign({"sub": "u1", "aud": AUDIENCE, "scope": "read"}),
                    lambda _: sign(data),
                    token,
                )


def _bare(algorithm: str) -> Callable[[bytes], bytes]:
    private: Any = token_key(algorithm).private
    if algorithm == "ES256":
        scheme = ec.ECDSA(SHA256())
        return lambda data: private.sign(data, scheme)
    bare: Callable[[bytes], bytes] = private.sign
    return bare


_WHAT = "signing a token over the bare signature"
FIGURES = (
    Figure("sign_es256_vs_raw", _WHAT, 1.25, lambda: signed_vs_raw("ES256")),
    Figure("sign_ed25519_vs_raw", _WHAT, 1.25, lambda: signed_vs_raw("Ed25519")),
)
