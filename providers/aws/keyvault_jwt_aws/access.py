"""What `keyvault-jwt access ROLE` tells of an awssm:// store: an IAM policy for the role's identity."""

from __future__ import annotations

import shlex
from typing import Final

from keyvault_jwt.errors import UsageError

from .address import Address, parse_url
from .policies.encryption_rights import encryption_rights
from .policies.key_rights import key_rights
from .policies.secret_arns import EVERY_RING, SecretARNs
from .policies.secret_rights import ROLES, secret_rights
from .policies.signing_rights import signing_rights
from .policies.statement import policy_document

_LONGEST: Final = 6_144
"""Characters of a managed policy, white space aside: docs.aws.amazon.com, IAM and STS quotas."""


def access(role: str, url: str, ring: str) -> tuple[str, tuple[str, ...]]:
    """Return the policy of a role in JSON, and what else to know; `ring` is a name, or `*` for all.

    It grants by itself all that the role needs.  Raises `BadStoreURL`.
    """
    if role not in ROLES:
        raise UsageError(f"there is no role {role}", fix=f"the roles are {', '.join(ROLES)}")
    address = parse_url(url)
    secrets = SecretARNs(address, ring)
    rights = (secret_rights, key_rights, encryption_rights, signing_rights)
    policy = policy_document(one for of_role in rights for one in of_role(role, secrets))
    return policy, (*_notes(role, url, ring, address), *_length(policy))


def _notes(role: str, url: str, ring: str, address: Address) -> tuple[str, ...]:
    # A keyring's own policy has its own name, so that it is granted besides others and replaces none.
    which, asked = ("", "") if ring == EVERY_RING else (f"-{ring}", f" --ring {ring}")
    notes = [
        f"apply it: keyvault-jwt --store {shlex.quote(url)} access {role}{asked} | aws iam create-policy "
        f"--policy-name keyvault-jwt-{role}{which} --policy-document file:///dev/stdin",
        f"its environment: KEYVAULT_JWT_STORE={shlex.quote(url)}",
        "where a resource has * for the account you may put its number: "
        "by itself the policy reaches no other account's secrets",
    ]
    if not address.prefix and ring == EVERY_RING:
        notes.append(
            "without a prefix it covers whatever in the account is named like NAME/public or NAME/archive-1: "
            "put one into the store URL"
        )
    if address.kms_key:
        notes.append("the key policy of kms_key must leave decisions to the account's IAM policies, too")
    if role == "verifier" and ring == EVERY_RING:
        notes.append(
            "symmetric keyrings are left out, for who verifies theirs could sign: grant each with --ring"
        )
    return tuple(notes)


def _length(policy: str) -> tuple[str, ...]:
    characters = len("".join(policy.split()))
    if characters <= _LONGEST:
        return ()
    return (
        f"it has {characters} characters, and a managed policy {_LONGEST}: make it a role's inline policy, "
        "with `aws iam put-role-policy`, or choose a shorter prefix",
    )
