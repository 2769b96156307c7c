"""`token sign|verify|inspect`."""

from __future__ import annotations

from ..lazy_group import LazyGroup, Listing

command = LazyGroup(
    name="token",
    help="Sign, verify or inspect a token.",
    package=__name__.rpartition(".")[0],
    listings=(
        Listing("sign", "token_sign", "Commands", "Print a token under a keyring's active key."),
        Listing("verify", "token_verify", "Commands", "Verify a token by a JWKS, and print its claims."),
        Listing("inspect", "token_inspect", "Commands", "Print what a token says, without verifying it."),
    ),
)
