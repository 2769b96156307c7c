"""What only a Vault or OpenBao server can say, as branches of the core's tree.

StoreError
├── StoreUnavailable
│   ├── Unreachable          vault_unreachable      (refused, no route, time-out, broken off)
│   ├── UnknownHost          vault_unknown_host     (DNS)
│   ├── NotTrusted           vault_not_trusted      (TLS)
│   ├── Sealed               vault_sealed
│   ├── NotInitialized       vault_not_initialized
│   ├── NotActive            vault_not_active       (472, 473, 474, 530, a redirect)
│   ├── LaggingNode          vault_lagging          (412, or 429 for an index not yet there)
│   ├── StandbyReads         vault_standby_reads
│   ├── RateLimited          vault_rate_limited
│   ├── Upgrading            vault_upgrading
│   └── ServerFailed         vault_failed           (other 5xx, and answers that are not Vault's)
├── StoreDenied
│   └── Denied               vault_denied
├── WrongPlace               vault_wrong_place      (no such namespace or mount)
│   └── NotVersioned         vault_not_versioned    (KV version 1)
├── NoSuchVersion            vault_transit_missing       (no such Transit key, or version of it)
├── VersionTrimmed           vault_transit_trimmed       (below the lowest that may sign)
├── WrongTransitKey          vault_transit_wrong_key     (of another type, or one that can be let out)
└── BadReference             vault_transit_reference     (malformed, or another place's)

WrongKeyType
└── NoSuchAlgorithm          vault_transit_algorithm     (Transit has no such keys)
"""

from __future__ import annotations

from keyvault_jwt.errors import StoreDenied, StoreError, StoreUnavailable, WrongKeyType


class Unreachable(StoreUnavailable):
    """No connection to the server, or one that ended before the answer to a read."""

    code = "vault_unreachable"


class UnknownHost(StoreUnavailable):
    """The server's name does not resolve."""

    code = "vault_unknown_host"


class NotTrusted(StoreUnavailable):
    """The server's certificate is not trusted, or it does not trust ours."""

    code = "vault_not_trusted"


class Sealed(StoreUnavailable):
    """The server is sealed."""

    code = "vault_sealed"


class NotInitialized(StoreUnavailable):
    """The server was never initialized."""

    code = "vault_not_initialized"


class NotActive(StoreUnavailable):
    """A node that does not serve requests itself and can't reach the one that does."""

    code = "vault_not_active"


class LaggingNode(StoreUnavailable):
    """A node that has not caught up with a write that we know of."""

    code = "vault_lagging"


class StandbyReads(StoreUnavailable):
    """A cluster whose standbys answer reads, without a way to ask the active node."""

    code = "vault_standby_reads"


class RateLimited(StoreUnavailable):
    """A quota on requests was used up."""

    code = "vault_rate_limited"


class Upgrading(StoreUnavailable):
    """A mount that is being made KV version 2 and takes no requests until then."""

    code = "vault_upgrading"


class ServerFailed(StoreUnavailable):
    """An internal error of the server, or an answer that no such server gives."""

    code = "vault_failed"


class Denied(StoreDenied):
    """The token is not good, or its policies grant too little."""

    code = "vault_denied"


class WrongPlace(StoreError):
    """No such namespace, or nothing mounted there."""

    code = "vault_wrong_place"


class NotVersioned(WrongPlace):
    """A mount that is not KV version 2: version 1 ignores check-and-set."""

    code = "vault_not_versioned"


class NoSuchVersion(StoreError):
    """A key in Transit, or a version of one, that is not there."""

    code = "vault_transit_missing"


class VersionTrimmed(StoreError):
    """A version of a key in Transit that may not sign any more."""

    code = "vault_transit_trimmed"


class WrongTransitKey(StoreError):
    """A key in Transit of another type, or one whose private half could be let out."""

    code = "vault_transit_wrong_key"


class BadReference(StoreError):
    """A reference that names no key which this store keeps in Transit."""

    code = "vault_transit_reference"


class NoSuchAlgorithm(WrongKeyType):
    """An algorithm that the server's Transit engine has no keys for."""

    code = "vault_transit_algorithm"
