"""A verifier as joserfc's users write it: reads tokens from stdin, a line each, and answers verdicts.

Arguments and lines are those of `pyjwt_peer`.  The set is fetched again when it is older than the
seconds it may be kept, or when a token names a kid that is not in it.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.request

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet


class Keys:
    """A key set with an age."""

    def __init__(self, address: str, lifespan: float) -> None:
        self.address, self.lifespan = address, lifespan
        self.keys, self.fetched = KeySet([]), -lifespan

    def holding(self, kid: str) -> KeySet:
        """Return the set, fetched anew if it is old or lacks the kid."""
        known = any(key.kid == kid for key in self.keys)
        if not known or time.monotonic() - self.fetched > self.lifespan:
            sent = time.monotonic()
            with urllib.request.urlopen(self.address, timeout=5) as answer:
                self.keys, self.fetched = KeySet.import_key_set(json.load(answer)), sent
        return self.keys


def kid_of(token: str) -> str:
    header = token.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def main() -> None:
    address, issuer, audience, lifespan = sys.argv[1:]
    keys = Keys(address, float(lifespan))
    claims = jwt.JWTClaimsRegistry(
        leeway=1, iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}
    )
    for line in sys.stdin:
        whole = not line.startswith("signature ")
        token = line.split()[-1]
        try:
            decoded = jwt.decode(token, keys.holding(kid_of(token)), algorithms=["ES256"])
            if whole:
                claims.validate(decoded.claims)
            verdict = "accepted"
        except (JoseError, ValueError) as refused:
            verdict = f"refused {type(refused).__name__}"
        print(verdict, flush=True)


if __name__ == "__main__":
    main()
