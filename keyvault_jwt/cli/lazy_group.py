"""LazyGroup: subcommands known by a table, and imported when they are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

import click

from . import failure
from .shared_options import SharedOptions


class Listing(NamedTuple):
    """One line of a group's help: a subcommand, its module, its section, and what it does."""

    name: str
    module: str
    section: str
    summary: str


class LazyGroup(SharedOptions, click.Group):
    """A group whose commands are `command` in the modules of `package` that its table names."""

    def __init__(self, *, package: str, listings: Sequence[Listing], **settings: Any) -> None:
        super().__init__(**settings)
        self._package, self._listings = package, tuple(listings)

    @property
    def listings(self) -> Mapping[str, Listing]:
        """The table by name."""
        return MappingProxyType({listing.name: listing for listing in self._listings})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in the order of the help."""
        return [listing.name for listing in self._listings]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name, importing its module now."""
        listing = self.listings.get(cmd_name)
        if listing is None:
            return None
        command: click.Command = import_module(f"{self._package}.{listing.module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words name; a misspelt one is answered with its likeness."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise failure.unknown_command(error, args[0], self.list_commands(ctx)) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table in its sections, importing nothing."""
        for section, listings in groupby(self._listings, key=lambda listing: listing.section):
            with formatter.section(section):
                formatter.write_dl([(listing.name, listing.summary) for listing in listings])
