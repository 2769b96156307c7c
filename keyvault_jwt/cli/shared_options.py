"""`--store` and `--json`: options of every command, given before or after its name."""

from __future__ import annotations

from typing import Any

import click

from .session import Session


class SharedOptions(click.Command):
    """A command or group with `--store`, `--json`, and `-h` beside `--help`."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.extend(_shared_options())

    def get_help_option_names(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the option that shows the help."""
        return ["-h", "--help"]


def _shared_options() -> list[click.Option]:
    return [
        click.Option(
            ["--store"],
            metavar="URL",
            expose_value=False,
            callback=_keep_store,
            help="The store, such as file:./keys or vault://MOUNT/PREFIX.  [default: $KEYVAULT_JWT_STORE]",
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            expose_value=False,
            callback=_keep_json,
            help="Print one JSON object, and errors as JSON on stderr.",
        ),
    ]


def _keep_store(ctx: click.Context, _option: click.Parameter, url: str | None) -> None:
    session = ctx.ensure_object(Session)
    if url is not None:
        session.store_url = url


def _keep_json(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    session = ctx.ensure_object(Session)
    session.as_json = session.as_json or asked
