"""CommandLine: the outermost group, where every run begins and ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from .._version import __version__
from . import failure
from .lazy_group import LazyGroup

NAME = "keyvault-jwt"
_CONTEXT = {"max_content_width": 100}


class CommandLine(LazyGroup):
    """A group whose `main` ends in `SystemExit` whatever happens: failures become a message and a status."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(context_settings=_CONTEXT, **settings)
        self.params.insert(
            0,
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Show the version and exit.",
            ),
        )

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,  # noqa: ARG002  (click's signature)
        **extra: Any,
    ) -> Any:
        """Run the words (by default those of the process) and exit with the run's status."""
        words = sys.argv[1:] if args is None else list(args)
        settings = {"prog_name": prog_name or self.name, "complete_var": complete_var, **extra}
        if not standalone_mode:
            return super().main(words, standalone_mode=False, **settings)
        return self._run(words, settings)

    def _run(self, words: list[str], settings: dict[str, Any]) -> NoReturn:
        try:
            status = super().main(words, standalone_mode=False, **settings)
        except Exception as error:  # noqa: BLE001  (the outermost frame: every failure becomes a message)
            status = failure.tell(error, as_json=failure.asked_for_json(words))
        sys.exit(status if isinstance(status, int) else 0)


def _print_version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        click.echo(f"{NAME} {__version__}")
        ctx.exit()
