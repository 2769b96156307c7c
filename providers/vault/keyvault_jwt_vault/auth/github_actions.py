"""GitHub Actions: the id token that a job with `id-token: write` may ask its runner for.

Source: https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import requests
from requests.auth import AuthBase

from ..address import Address
from .errors import CredentialsMissing, LoginImpossible, LoginRefused

_URL, _TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_LARGEST = 65_536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class GitHubActions:
    """Asks for a JWT at each login, since one lives for minutes."""

    audience: str
    address: Address = field(repr=False)

    def read(self) -> str:
        """Return a fresh JWT; raises `CredentialsMissing`, `LoginRefused` or `LoginImpossible`."""
        url, bearer = os.environ.get(_URL, "").strip(), os.environ.get(_TOKEN, "").strip()
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            url = ""
        if not url or not bearer.isascii() or not bearer.isprintable() or not bearer:
            raise CredentialsMissing(
                "GitHub Actions offers this job no id token",
                why=f"{_URL} and {_TOKEN} are not set, or are not an https:// URL and a token",
                fix="give the job `permissions: id-token: write`",
            )
        if self.audience:
            url += f"{'&' if parts.query else '?'}audience={quote(self.audience, safe='')}"
        return self._fetch(url, bearer)

    def place(self) -> str:
        """Return where it comes from."""
        return f"the id token of GitHub Actions (audience {self.audience or 'by default'})"

    def _fetch(self, url: str, bearer: str) -> str:
        times = self.address.connect_timeout / 1000, self.address.read_timeout / 1000
        try:
            # The runner's own network settings hold here, unlike on the way to Vault.
            with requests.get(
                url,
                auth=_Bearer(bearer),
                timeout=times,
                allow_redirects=False,
                stream=True,
            ) as answer:
                status, content = answer.status_code, answer.raw.read(_LARGEST, decode_content=True)
            value = _ID_TOKEN.decode(content).value if status == 200 else ""
        except Exception as failure:  # noqa: BLE001  (its message may quote the URL, which is the job's own)
            raise LoginImpossible(
                "GitHub Actions gave no id token", why=f"the exchange failed, {type(failure).__name__}"
            ) from None
        if value.count(".") != 2:
            kind = LoginImpossible if status >= 500 or status == 429 else LoginRefused
            raise kind(
                "GitHub Actions gave no id token",
                why=f"it answered {status}",
                fix="give the job `permissions: id-token: write`, and see that it still runs",
            )
        return value


class _IdToken(msgspec.Struct):
    value: str


_ID_TOKEN: Final = msgspec.json.Decoder(_IdToken)


class _Bearer(AuthBase):
    """Sets the header itself, so that no ~/.netrc can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
