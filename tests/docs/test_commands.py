"""Commands that the pages quote can be typed: the make target or the subcommand and its options exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from keyvault_jwt.cli import main
from tests.docs.markdown import ROOT, Page, pages

_SHELLS = {"sh", "bash", "shell", "console"}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def quoted(page: Page) -> Iterator[list[str]]:
    """Yield each simple command on the page as words, from shell fences and inline code."""
    for language, code in page.fences:
        if language in _SHELLS:
            prompted = language == "console"
            lines = code.replace("\\\n", " ").splitlines()
            for line in lines:
                if not prompted or line.lstrip().startswith("$ "):
                    yield from simple_commands(line.lstrip().removeprefix("$ "))
    for code in page.inline_code:
        if re.match(r"(make|keyvault-jwt) [a-z-]", code) and "…" not in code:
            yield from simple_commands(code)


def simple_commands(line: str) -> Iterator[list[str]]:
    """Split a shell line at pipes, redirections and `$(…)`, and leave out variables set in front."""
    flat = re.sub(r"\"?\$\(([^()]*)\)\"?", r" ; \1 ; ", line)
    lexer = shlex.shlex(flat, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|&;()<>"):
            if words:
                yield words
            words = []
        elif words or not _ASSIGNMENT.match(word):
            words.append(word)


def mistake(words: list[str]) -> str | None:
    """Return what is wrong with a command of ours, None for a good one or another program's."""
    program, *rest = words
    if program == "make":
        wrong = [word for word in rest if not _ASSIGNMENT.match(word) and not word.startswith("-")]
        return next((f"no target {word}" for word in wrong if word not in _TARGETS), None)
    if Path(program).name != "keyvault-jwt":
        return None
    return cli_mistake(main, click.Context(main, info_name="keyvault-jwt"), rest)


def cli_mistake(command: click.Command, context: click.Context, words: list[str]) -> str | None:
    """Return the first subcommand or option in `words` that the command line does not know."""
    known = {option for one in command.get_params(context) for option in (*one.opts, *one.secondary_opts)}
    for position, word in enumerate(words):
        if word == "--":
            return None
        option = word.partition("=")[0]
        if re.match(r"--?[a-z]", word) and option not in known:
            return f"{context.command_path} has no option {option}"
        if isinstance(command, click.Group) and (inner := command.get_command(context, word)):
            below = click.Context(inner, info_name=word, parent=context)
            return cli_mistake(inner, below, words[position + 1 :])
    if isinstance(command, click.Group) and any(not word.startswith("-") for word in words):
        return f"{context.command_path} has no command {words[0]}"
    return None


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path.name)
def test_quoted_commands_exist(page: Page) -> None:
    """Every `make` and `keyvault-jwt` command on the page names targets, commands and options that exist."""
    mistakes = [f"{shlex.join(words)}: {found}" for words in quoted(page) if (found := mistake(words))]
    assert mistakes == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path.name)
def test_quoted_python_is_python(page: Page) -> None:
    """Every Python example on the page can at least be compiled."""
    for language, code in page.fences:
        if language == "python":
            ast.parse(code)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nmake tset\n```",
        "```console\n$ keyvault-jwt shwo default\n```",
        "Run `keyvault-jwt up --prot 8700`.",
        "```sh\ncurl -s x | keyvault-jwt token verfy -\n```",
        "```sh\nTOKEN=$(keyvault-jwt token sign default --sbu ann)\n```",
    ],
)
def test_a_command_that_is_not_there_is_found(text: str) -> None:
    """A misspelt target, command or option is seen wherever it stands."""
    (words,) = (words for words in quoted(Page(ROOT / "x.md", text)) if "curl" not in words)
    assert mistake(words)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nPYTHON=python3.12 make test WORKERS=4\n```",
        "```console\n$ keyvault-jwt --json show default\nkeyvault-jwt shwo is output here\n```",
        "```sh\nkeyvault-jwt token sign default --sub ann --aud api > token && ls\n```",
        "Run `make …` or `make up`.",
    ],
)
def test_a_command_that_is_there_is_accepted(text: str) -> None:
    """Assignments, prompts, output, redirections and other programs are no mistakes."""
    assert [mistake(words) for words in quoted(Page(ROOT / "x.md", text)) if mistake(words)] == []
