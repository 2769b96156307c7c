"""The class of every subcommand: it takes the shared options, and kids that begin with a dash."""

from __future__ import annotations

import click

from .shared_options import SharedOptions


class RingCommand(SharedOptions):
    """A subcommand."""


class KidCommand(RingCommand):
    """A subcommand whose last argument is a KID, which base64url lets begin with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after telling a KID from an option."""
        return super().parse_args(ctx, self._kid_apart(ctx, args))

    def _kid_apart(self, ctx: click.Context, words: list[str]) -> list[str]:
        """Return the words with the arguments after `--`, if one of them begins with a dash.

        A word that is no option of this command fills the place of an argument that would
        otherwise be missing; where none is, it stays what it looks like: a misspelt option.
        """
        options, arguments = self._split(ctx, words)
        missing = sum(isinstance(one, click.Argument) for one in self.params)
        missing -= sum(not dashed for _, dashed in arguments)
        given: list[str] = []
        for word, dashed in arguments:
            if dashed and missing <= 0:
                return words
            missing -= dashed
            given.append(word)
        return [*options, "--", *given] if any(dashed for _, dashed in arguments) else words

    def _split(self, ctx: click.Context, words: list[str]) -> tuple[list[str], list[tuple[str, bool]]]:
        """Return the options with their values, and the other words with whether they begin with a dash."""
        known = {name: one for one in self.get_params(ctx) for name in one.opts if name.startswith("-")}
        options: list[str] = []
        arguments: list[tuple[str, bool]] = []
        rest = iter(words)
        for word in rest:
            option = known.get(word.partition("=")[0])
            if word == "--":
                arguments.extend((later, False) for later in rest)
            elif option is not None:
                options.append(word)
                flag = isinstance(option, click.Option) and option.is_flag
                if not flag and "=" not in word:
                    options.extend(value for value in [next(rest, None)] if value is not None)
            else:
                arguments.append((word, word.startswith("-") and word != "-"))
        return options, arguments
