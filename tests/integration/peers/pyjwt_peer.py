"""A verifier as PyJWT's users write it: reads tokens from stdin, a line each, and answers verdicts.

Arguments: the JWKS address, the issuer, the audience and the seconds a set may be kept.  A line
`signature TOKEN` asks for the signature alone, any other line is a token to verify whole.
"""

from __future__ import annotations

import sys

import jwt


def main() -> None:
    address, issuer, audience, lifespan = sys.argv[1:]
    client = jwt.PyJWKClient(address, lifespan=float(lifespan), cooldown_duration=0, cache_keys=False)
    for line in sys.stdin:
        whole = not line.startswith("signature ")
        token = line.split()[-1]
        try:
            key = client.get_signing_key_from_jwt(token)
            jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                issuer=issuer,
                audience=audience,
                leeway=0.1,
                options={"verify_exp": whole},
            )
            verdict = "accepted"
        except jwt.PyJWTError as refused:
            verdict = f"refused {type(refused).__name__}"
        print(verdict, flush=True)


if __name__ == "__main__":
    main()
