"""A prefix of Secrets Manager and the identities that may come in."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import uuid4

from click.testing import CliRunner

from keyvault_jwt.cli import main
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, open_url
from tests.aws.machine import ISSUER, RING, Machine
from tests.aws.policies.account import Account
from tests.aws.policies.iam_policy import Policy
from tests.faulty_store import FAST

SYMMETRIC = "partners"
HMAC = FAST.model_copy(update={"algorithm": "HS256"})


class House:
    """A prefix, empty until it is furnished by somebody who may do everything."""

    def __init__(self, account: Account, options: str = "") -> None:
        self.account = account
        self.prefix = f"house-{uuid4().hex}"
        self.plain_url = f"awssm://us-east-1/{self.prefix}?quota=off&staleness=0{options}"
        self.url = f"{self.plain_url}&endpoint_url={account.layer.url}"
        self._open = ExitStack()
        self.owner = self._open.enter_context(Machine(self.url))

    def furnish(self) -> None:
        """Make a keyring, a symmetric keyring, and an archive in each."""
        self.owner.manager.create(RING, FAST, issuer=ISSUER)
        self.owner.manager.create(SYMMETRIC, HMAC, issuer=ISSUER)
        for ring in (RING, SYMMETRIC):
            name = DocumentName(ring, DocumentKind.ARCHIVE, 1)
            self.owner.store.replace(name, Draft(b"{}", 1, uuid4()), expected=None)

    def policy(self, role: str, ring: str = "*") -> Policy:
        """Return what the command line prints for the role."""
        return Policy.of(printed(role, self.url, ring))

    def url_of(self, policy: Policy) -> str:
        """Return the store URL of an identity with that policy alone."""
        return f"{self.url}&profile={self.account.identity(policy)[0]}"

    def enter(self, url: str) -> AwsStore:
        """Return the store of such a URL."""
        return self._open.enter_context(open_url(url))

    def machine(self, url: str) -> Machine:
        """Return a machine of such a URL."""
        return self._open.enter_context(Machine(url))

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()


def printed(role: str, url: str, ring: str = "*") -> str:
    """Return the policy as the command line prints it."""
    done = CliRunner().invoke(main, ["access", role, "--store", url, "--ring", ring])
    assert done.exit_code == 0, done.stderr
    return done.stdout
