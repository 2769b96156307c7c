"""Every parameter of a policy is an option."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
import pytest

from keyvault_jwt.cli.policy_options import given, policy_options
from keyvault_jwt.policy import RotationPolicy


@click.command()
@policy_options()
def command(**_options: Any) -> None:
    """Take a policy."""


@pytest.mark.parametrize("name", RotationPolicy.model_fields)
def test_each_parameter_has_an_option_with_help_and_default(name: str) -> None:
    """What can be in a policy can be said on the command line, and its help tells the default."""
    (option,) = (one for one in command.params if one.name == name)
    assert isinstance(option, click.Option)
    assert f"--{name.replace('_', '-')}" in option.opts
    assert option.help is not None
    assert "[default: " in option.help
    assert len(option.help) < 100


def test_only_what_was_said_is_given() -> None:
    """A parameter that was left out is not in the changes; zero is something that was said."""
    context = command.make_context("x", ["--rotate-every", "90d", "--leeway", "0s", "--alg", "Ed25519"])
    assert given(context.params) == {
        "rotate_every": timedelta(days=90),
        "leeway": timedelta(),
        "algorithm": "Ed25519",
    }
