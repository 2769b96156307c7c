"""What can go wrong on the way to a token.

    StoreError
    ├── StoreUnavailable
    │   └── LoginImpossible          vault_login_impossible
    ├── StoreDenied
    │   ├── LoginRefused             vault_login_refused
    │   │   └── WrappedSecretSpent   vault_wrapped_secret_spent
    │   ├── TokenDenied              vault_token_denied
    │   └── AuthNotMounted           vault_auth_not_mounted
    └── CredentialsMissing           vault_credentials_missing

None quotes what was sent or what the server said in its own words, which may quote it.
"""

from __future__ import annotations

from keyvault_jwt.errors import StoreDenied, StoreError, StoreUnavailable


class LoginImpossible(StoreUnavailable):
    """The server could not be asked, or could not tell; asking again may help."""

    code = "vault_login_impossible"


class LoginRefused(StoreDenied):
    """The server does not take these credentials."""

    code = "vault_login_refused"


class WrappedSecretSpent(LoginRefused):
    """A wrapping token that was used before, has expired, or wraps something else: raise the alarm."""

    code = "vault_wrapped_secret_spent"


class TokenDenied(StoreDenied):
    """The server does not do with this token what was asked: it ended, or its policies forbid it."""

    code = "vault_token_denied"


class AuthNotMounted(StoreDenied):
    """No auth method of this kind answers at this mount path."""

    code = "vault_auth_not_mounted"


class CredentialsMissing(StoreError):
    """A variable or a file that should hold credentials does not."""

    code = "vault_credentials_missing"
