"""The part of Secrets Manager in a rotation: it invokes the steps in order, and repeats what failed.

Neither AWS nor moto runs here.  What it does is AWS's documentation of rotation by a Lambda
function: RotateSecret puts AWSPENDING on an empty version, each step is invoked with the same
token, a step that fails is tried again, and a rotation that is unfinished is taken up again before
another one begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import keyvault_jwt as kj
from keyvault_jwt.document import decode_signing
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt_aws import parse_url
from keyvault_jwt_aws.rotation_lambda import handler
from tests.aws.documented_secret import CURRENT, PENDING, DocumentedSecret, Refused
from tests.aws.machine import ISSUER, RING
from tests.aws.strict_secretsmanager import StrictSecretsManager

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
TRIES = 3
"""How often a step is tried; AWS says "multiple times"."""


@dataclass
class Context:
    """What is left of an invocation's time."""

    left: int = 300_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds."""
        return self.left


def _nothing(_done: str) -> None:
    """Let nothing happen between two steps."""


@dataclass
class Rotating:
    """A keyring, its authority's secret as documented, and the rotations of it."""

    strict: StrictSecretsManager
    url: str
    manager: kj.KeyManager
    failures: list[KeyvaultJWTError] = field(default_factory=list)

    @property
    def secret(self) -> DocumentedSecret:
        """The authority's secret."""
        return self.strict.region().secrets[self.name]

    @property
    def name(self) -> str:
        """The name of the authority's secret."""
        return f"{parse_url(self.url).prefix}/{RING}/authority"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.strict.region().arn_of(self.name)

    @property
    def keyring(self) -> Keyring:
        """The keyring as its authority says."""
        return self.manager.keyring(RING)

    @property
    def active(self) -> str:
        """The kid that signs."""
        found = self.keyring.active
        assert found is not None
        return found.kid

    def event(self, step: str, token: str) -> dict[str, str]:
        """Return the event of a step."""
        return {"Step": step, "SecretId": self.arn, "ClientRequestToken": token}

    def invoke(self, step: str, token: str) -> str:
        """Invoke the function, and return what it says it did."""
        return handler(self.event(step, token), Context())["outcome"]

    def turn_on(self) -> None:
        """Turn rotation on for later: the configuration is tested by a testSecret of an empty version."""
        token = str(uuid4())
        self.begin(token)
        self.invoke("testSecret", token)
        self.secret.drop_empty(PENDING, token, None)

    def begin(self, token: str) -> None:
        """Let RotateSecret put AWSPENDING on an empty version; raises `Refused` if one is unfinished."""
        asked = {"SecretId": self.arn, "ClientRequestToken": token, "RotationLambdaARN": "arn:aws:lambda:x"}
        status, body = self.strict.answer("RotateSecret", asked, self.strict.unsigned("us-east-1"))
        if status != 200:
            raise Refused(body["__type"], body["Message"])

    def rotate(self, token: str | None = None, then: Callable[[str], None] = _nothing) -> bool:
        """Rotate from beginning to end, `then` after each step, and return whether it ended well.

        An unfinished rotation is taken up again first, with its own token.
        """
        unfinished = self.secret.holder(PENDING)
        if unfinished not in {None, self.secret.holder(CURRENT)}:
            self.take_steps(unfinished or "")
        token = str(uuid4()) if token is None else token
        self.begin(token)
        return self.take_steps(token, then)

    def take_steps(self, token: str, then: Callable[[str], None] = _nothing) -> bool:
        """Invoke each step, up to three times, with the rotation's token."""
        for step in STEPS:
            if not any(self._tried(step, token) for _ in range(TRIES)):
                return False
            then(step)
        return True

    def _tried(self, step: str, token: str) -> bool:
        try:
            self.invoke(step, token)
        except KeyvaultJWTError as error:
            self.failures.append(error)
            return False
        return True

    def require_order(self) -> None:
        """Hold, however it went: one key signs, signers have it, its tokens pass, and no rotation hangs."""
        self.manager.reconcile(RING)
        keyring = self.keyring
        active = [record.kid for record in keyring.records if record.state is KeyState.ACTIVE]
        assert len(active) == 1
        found = self.manager.store.read(DocumentName(RING, DocumentKind.SIGNING))
        assert found is not None
        key = decode_signing(RING, found.draft.data).key
        assert key is not None
        assert key.kid == active[0]
        assert self.accepts(self.token())
        assert self.secret.holder(PENDING) in {None, self.secret.holder(CURRENT)}

    def token(self) -> str:
        """Return a token by whatever key signs now."""
        with kj.Signer(self.manager.store, RING, issuer=ISSUER, background=False) as signer:
            return signer.sign({"sub": "u1", "aud": "api"})

    def accepts(self, token: str) -> bool:
        """Return whether a verifier that reads the published set now takes the token."""
        with kj.JWKSCache.from_store(self.manager.store, RING) as cache:
            verifier = kj.Verifier(cache, issuer=ISSUER, audience="api", algorithms=[self.keyring.algorithm])
            try:
                verifier.verify(token)
            except kj.VerificationError:
                return False
            return True
