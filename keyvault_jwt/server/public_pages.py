"""What anyone may ask for: JWK Sets, issuer metadata, and whether the server lives."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from ..published_set import PublishedSet
from . import conditional
from .answers import json_answer, problem, unavailable
from .fleet import Fleet
from .verifier_table import VerifierTable

JWKS_PATH: Final = "/.well-known/jwks.json"
METADATA_PATH: Final = "/.well-known/openid-configuration"
"""Below `/RING`, and at the root for the default keyring: discovery looks there if its issuer has no path."""

# RFC 7517 registers application/jwk-set+json, but application/json is what OpenID Connect's
# providers send: PyJWT, joserfc's users and Envoy take either, Java's older clients only this.
JWKS_TYPE = "application/json"
OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Public keys are for everyone, pages in browsers too."""


def set_answer(found: PublishedSet, *, unchanged: bool) -> Response:
    """Return a set with what caches need, or only that to one who has it."""
    headers = {**OPEN, "Cache-Control": found.cache_control, "ETag": found.etag}
    if unchanged:
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=JWKS_TYPE)


class PublicPages:
    """Answers from what the fleet holds; never reads the store, never waits."""

    def __init__(self, fleet: Fleet, verifiers: VerifierTable, default_ring: str) -> None:
        self._fleet, self._verifiers, self._default = fleet, verifiers, default_ring

    async def jwks(self, request: Request) -> Response:
        """Answer a keyring's JWK Set, or 304 to one who has it."""
        found = self._found(request)
        if isinstance(found, Response):
            return found
        has = ", ".join(request.headers.getlist("if-none-match"))
        client = "" if request.client is None else request.client.host
        agent = request.headers.get("user-agent", "")
        return set_answer(found, unchanged=self.visit(self._ring(request), found, client, agent, has))

    def visit(self, ring: str, found: PublishedSet, client: str, agent: str, if_none_match: str) -> bool:
        """Note that a client asks for a set, and return whether it has this one."""
        held = conditional.held(if_none_match)
        self._verifiers.note(ring, client, agent, held, (found.epoch, found.revision))
        return conditional.matches(if_none_match, found.etag)

    async def metadata(self, request: Request) -> Response:
        """Answer the issuer's metadata (OpenID Connect Discovery 1.0 section 4).

        A key server has no authorization or token endpoint to name; the members are those that
        Kubernetes, which is one too, publishes for its service accounts.
        """
        found = self._found(request)
        if isinstance(found, Response):
            return found
        content = {
            "issuer": found.issuer,
            "jwks_uri": found.issuer.rstrip("/") + JWKS_PATH,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(found.algorithms),
        }
        return json_answer(content, headers={**OPEN, "Cache-Control": found.cache_control})

    async def healthz(self, _request: Request) -> Response:
        """Answer that the process is alive, whatever its store does."""
        return json_answer({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 once the keyrings are known and at least one is served, or there is none.

        One keyring past its lease takes only itself out of service: its own address answers 503.
        """
        ready = self._fleet.listed and (self._fleet.serves() or not len(self._fleet))
        return json_answer({"ready": ready, "keyrings": len(self._fleet)}, status=200 if ready else 503)

    def _ring(self, request: Request) -> str:
        ring: str = request.path_params.get("ring", self._default)
        return ring

    def _found(self, request: Request) -> PublishedSet | Response:
        publisher = self._fleet.publisher(self._ring(request))
        if publisher is None and self._fleet.listed:
            return problem(404, "keyring_not_found", "No such keyring")
        if publisher is None:
            return unavailable("starting", 1_000)
        found = publisher.peek()
        if found is None:
            return unavailable("publisher_lease_expired", publisher.next_poll())
        return found
