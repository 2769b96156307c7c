"""What a server's statuses mean: an answer, a refusal, or a write whose outcome is not known.

The codes are those of https://openbao.org/api-docs/#http-status-codes, and of `sys/health`, which
load balancers pass on from their probes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from keyvault_jwt.errors import DocumentTooLarge, KeyvaultJWTError, StoreTimeout, StoreUnavailable

from .address import Address
from .answer import Answer
from .errors import (
    Denied,
    LaggingNode,
    NoSuchVersion,
    NotActive,
    NotInitialized,
    NotTrusted,
    RateLimited,
    Sealed,
    ServerFailed,
    UnknownHost,
    Upgrading,
    VersionTrimmed,
    WrongPlace,
)
from .request import Request

_CAPABILITIES: Final = MappingProxyType(
    {"GET": "read", "LIST": "list", "PATCH": "patch", "DELETE": "delete", "POST": "create and update"}
)
_NEEDS_A_PERSON: Final = (NotTrusted, UnknownHost, NotInitialized)
_NOT_ACTIVE: Final = frozenset({472, 473, 474, 530})
_LOOKED_AT: Final = frozenset({200, 204, 400, 404})

Telling = Callable[[Answer, Request, Address], KeyvaultJWTError | None]


def refusal(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    """Return the error that an answer stands for; None if the caller must look at it.

    Left to the caller are 200 and 204, a 404 for a path at which there is nothing, and a 400
    that means something only to who asked.
    """
    for telling in _TELLINGS:
        told = telling(answer, asked, address)
        if told is not None:
            return told
    if answer.status in _LOOKED_AT and answer.is_vaults:
        return None
    if not asked.safe and (answer.status >= 500 or 300 <= answer.status < 400):
        # A node that passed the write on tells only that it heard nothing more of it.
        return StoreTimeout(
            f"whether {asked} took effect is not known",
            why=_why(answer),
            fix="read it again to find out; see the server's log",
        )
    if 300 <= answer.status < 400:
        return _not_active(answer, address)
    if not answer.is_vaults:
        return ServerFailed(
            f"what answers at {address.server} is no Vault or OpenBao server",
            why=f"status {answer.status} came with a body that is no JSON object",
            fix="check BAO_ADDR or VAULT_ADDR, and proxies on the way",
        )
    return ServerFailed(f"{address.server} failed", why=_why(answer), fix="look into the server's log")


def worth_repeating(failure: KeyvaultJWTError) -> bool:
    """Whether the same request may succeed soon; never so for a write whose outcome is not known."""
    return isinstance(failure, StoreUnavailable) and not isinstance(failure, _NEEDS_A_PERSON)


def _why(answer: Answer) -> str:
    return f"it answered {answer.status} {answer.errors}".strip()


def _denied(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    if answer.status != 403:
        return None
    where = f" in the namespace {address.namespace}" if address.namespace else ""
    return Denied(
        f"Vault denies {asked}",
        why=f"the token has expired, or lacks {_CAPABILITIES[asked.method]} on {asked.path!r}{where}",
        fix="log in again, or grant it: `keyvault-jwt access ROLE` prints what each role needs",
    )


def _not_here(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    if answer.status != 404:
        return None
    if "namespace not found" in answer.errors or "namespace is" in answer.errors:
        return WrongPlace(
            f"there is no namespace {address.namespace!r}",
            why=answer.errors,
            fix="set VAULT_NAMESPACE, or ?namespace= in the store URL, to one that exists",
        )
    if "no handler for route" in answer.errors or "unsupported path" in answer.errors:
        return WrongPlace(
            f"nothing in Vault answers {asked}",
            why=answer.errors,
            fix="check the mount in the store URL and VAULT_NAMESPACE",
        )
    return None


def _too_large(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    large = "too large" in answer.errors or "exceeds" in answer.errors
    if answer.status == 413 or (large and answer.status in {400, 500}):
        return DocumentTooLarge(
            f"{address.server} refuses the size of {asked}",
            why=f"{_why(answer)}; nothing was written",
            fix="let `reconcile` archive old keys and events, or raise the server's max_entry_size",
        )
    return None


def _unsigned(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:  # noqa: ARG001
    """Return the error for a version of a Transit key that is not there; it comes as 400 or 500."""
    if "requested version for signing" not in answer.errors:
        return None
    if "higher" in answer.errors:
        return NoSuchVersion(
            f"Transit does not know the version that {asked} names",
            why=answer.errors,
            fix="restore the server's storage as a whole; or ask the active node, if this one lags",
        )
    return VersionTrimmed(
        f"the version that {asked} names may not sign any more",
        why=answer.errors,
        fix="its key was retired: let the signer read again; if the store was restored, run `recover`",
    )


def _busy(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    """Return the error for what passes by itself."""
    said, server = answer.errors, address.server
    if answer.status == 400 and "pgrad" in said:
        return Upgrading(
            f"{asked} meets a mount that is being upgraded", why=said, fix="try again in a moment"
        )
    if answer.status == 412 or (answer.status == 429 and "index" in said):
        return LaggingNode(
            f"{server} lags behind the active node", why=_why(answer), fix="try again in a moment"
        )
    if answer.status == 429:
        return RateLimited(
            f"{server} takes no more requests for now",
            why=said or "429, as standby nodes also tell their load balancer",
            fix="raise its rate-limit quota, poll less often, or use the address of the active node",
        )
    return None


def _down(answer: Answer, asked: Request, address: Address) -> KeyvaultJWTError | None:
    """Return the error for a server that a person must see to."""
    said, server = answer.errors, address.server
    if answer.status == 501:
        return NotInitialized(
            f"{server} was never initialized", why=f"it takes no {asked}", fix="run `bao operator init` there"
        )
    if answer.status == 503 and "sealed" in said:
        return Sealed(f"{server} is sealed", why=said, fix="unseal it; nothing was written")
    if answer.status in _NOT_ACTIVE or (answer.status == 500 and "local node not active" in said):
        return _not_active(answer, address)
    return None


def _not_active(answer: Answer, address: Address) -> NotActive:
    return NotActive(
        f"{address.server} is not the active node, and does not pass requests on",
        why=_why(answer),
        fix="set VAULT_ADDR to the active node or a load balancer that finds it; redirects are not followed",
    )


_TELLINGS: Final[tuple[Telling, ...]] = (
    _denied,
    _not_here,
    _too_large,
    _unsigned,
    _busy,
    _down,
)
