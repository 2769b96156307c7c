"""What it means when no answer of the service's came."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
)

from keyvault_jwt.errors import KeyvaultJWTError, StoreTimeout

from .address import Address
from .errors import BadCredentials, NotTrusted, ServiceFailed, Unreachable
from .request import Request, Tries

_CONNECTING: Final = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_CREDENTIALS: Final = (
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoAuthTokenError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)


def may_have_been_sent(failure: Exception) -> bool:
    """Return whether the service may have carried out a request of which this came instead of an answer."""
    untrusted = isinstance(failure, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(failure)
    return not (untrusted or isinstance(failure, _CONNECTING))


def broken_off(failure: BotoCoreError, asked: Request, tries: Tries, address: Address) -> KeyvaultJWTError:
    """Return the error for a request of which no answer came; botocore's own text is not quoted."""
    endpoint = address.endpoint_url or f"the endpoint of {address}"
    if tries.in_doubt and not asked.safe:
        return unknown(asked, "the connection broke, or no answer came in time")
    if isinstance(failure, SSLError):
        return NotTrusted(
            f"no trusted connection to {endpoint}",
            why="its certificate is not trusted, or TLS failed",
            fix="let AWS_CA_BUNDLE name the authority of a proxy that looks into TLS",
        )
    if isinstance(failure, _CONNECTING):
        return Unreachable(
            f"no connection to {endpoint}",
            why="nothing answers there; nothing was sent",
            fix="check the region and endpoint_url in the store URL, the network and its proxies",
        )
    if isinstance(failure, ReadTimeoutError) or tries.in_doubt:
        return Unreachable(f"{endpoint} did not answer", why="no whole answer came in time", fix="try again")
    return _credentials(failure) or ServiceFailed(
        f"{asked} was not sent to {endpoint}",
        why=f"botocore gave up with {type(failure).__name__}",
        fix="check the store URL, and AWS's own configuration with `aws configure list`",
    )


def _credentials(failure: BotoCoreError) -> KeyvaultJWTError | None:
    if isinstance(failure, NoCredentialsError):
        return BadCredentials(
            "no AWS credentials were found",
            why="neither the environment, a profile, nor this machine's role has any",
            fix="set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
        )
    if isinstance(failure, _CREDENTIALS) or "SSO" in type(failure).__name__:
        return BadCredentials(
            "AWS credentials can't be had",
            why=f"{type(failure).__name__} in AWS's own chain of credentials",
            fix="see what `aws sts get-caller-identity` says here",
        )
    return None


def unreadable(asked: Request, address: Address) -> KeyvaultJWTError:
    """Return the error for an answer that is not of the service's form, such as a proxy's page."""
    if not asked.safe:
        return unknown(asked, "something else than the service answered")
    return ServiceFailed(
        f"what answers at {address.endpoint_url or 'its endpoint'} is something else than {address}",
        why="the answer is not of its form",
        fix="check the endpoint_url, and proxies on the way",
    )


def unknown(asked: Request, why: str) -> StoreTimeout:
    """Return the error for a request of which nobody knows whether it was carried out."""
    return StoreTimeout(f"whether {asked} took effect is not known", why=why, fix="read it again to find out")
