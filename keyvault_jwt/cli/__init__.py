"""The `keyvault-jwt` command line: data on stdout, messages on stderr, a stable exit status.

    0 done   1 failed   2 wrong usage   3 a gate or policy is violated
    4 the store can't be reached or denies   5 lost a race and gave up

Commands are imported when they are named, so that `--version` and `--help` cost little.
"""

from __future__ import annotations

from .command_line import NAME, CommandLine
from .lazy_group import Listing

main = CommandLine(
    name=NAME,
    help="The life of JWT signing keys: made, published, rotated, revoked, verified.",
    package=f"{__name__}.commands",
    listings=(
        Listing("up", "up", "Run", "Make a keyring if there is none; rotate, publish and show it."),
        Listing("demo", "demo", "Run", "Watch a fleet live a key's whole life, in less than a minute."),
        Listing("scheduler", "scheduler", "Run", "Rotate keyrings when they are due."),
        Listing("serve", "serve", "Run", "Publish the JWK Sets of a store over HTTP."),
        Listing("doctor", "doctor", "Run", "Check clocks, store, keys, documents and policies."),
        Listing("access", "access", "Run", "Print exactly what a role needs to be granted."),
        Listing("create", "create", "Keyrings", "Make a keyring that signs at once."),
        Listing("list", "list_rings", "Keyrings", "List the keyrings of a store."),
        Listing("show", "show", "Keyrings", "Show a keyring's keys, their ages, and their lanes over time."),
        Listing("plan", "plan", "Keyrings", "Show what is due, and every rule that gates it."),
        Listing("policy", "policy", "Keyrings", "Show a keyring's policy, or change parts of it."),
        Listing("reconcile", "reconcile", "Rotation", "Do what is due now, and repair what differs."),
        Listing("rotate", "rotate", "Rotation", "Replace the signing key now."),
        Listing("migrate", "migrate", "Rotation", "Move a keyring to another algorithm."),
        Listing("rollback", "rollback", "Rotation", "Put the previous signing key back."),
        Listing(
            "revoke", "revoke", "Incidents", "Withdraw a key at once, and say until when it may live on."
        ),
        Listing("recover", "recover", "Incidents", "Start anew over a store that was restored or forked."),
        Listing("import", "import_key", "Keys in and out", "Take in a private key made elsewhere."),
        Listing("export", "export", "Keys in and out", "Write a keyring's keys as JWKs."),
        Listing("copy", "copy", "Keys in and out", "Move a keyring to another store."),
        Listing("jwks", "jwks", "Keys in and out", "Print the JWK Set that verifiers are shown."),
        Listing("token", "token", "Tokens", "Sign, verify or inspect a token."),
    ),
)

__all__ = ["main"]
