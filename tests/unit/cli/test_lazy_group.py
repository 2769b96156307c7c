"""Commands are listed without being imported, and the list is true."""

from __future__ import annotations

import click
import pytest

from keyvault_jwt.cli import main
from keyvault_jwt.cli.lazy_group import Listing

LISTINGS = list(main.listings.values())


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_each_listing_is_a_command_that_says_the_same_of_itself(listing: Listing) -> None:
    """The table's summary is the first sentence of the command's own help."""
    context = click.Context(main, info_name="keyvault-jwt")
    command = main.get_command(context, listing.name)
    assert command is not None
    assert command.name == listing.name
    assert command.help is not None
    assert command.help.splitlines()[0] == listing.summary


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_every_command_takes_the_shared_options(listing: Listing) -> None:
    """`--store`, `--json` and `--help` work everywhere."""
    context = click.Context(main, info_name="keyvault-jwt")
    command = main.get_command(context, listing.name)
    assert command is not None
    inner = click.Context(command, info_name=listing.name, parent=context)
    known = {name for parameter in command.get_params(inner) for name in parameter.opts}
    assert {"--store", "--json", "--help", "-h"} <= known


def test_a_command_that_is_not_listed_is_none() -> None:
    """A module of the package alone makes no command."""
    assert main.get_command(click.Context(main), "import_key") is None


def test_sections_are_whole() -> None:
    """No section of the help comes twice."""
    sections = [listing.section for listing in LISTINGS]
    changes = [one for one, before in zip(sections, [None, *sections], strict=False) if one != before]
    assert len(changes) == len(set(changes))
