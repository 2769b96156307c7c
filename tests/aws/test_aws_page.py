"""The transcript of docs/aws.md: typed into a shell, it prints what the page shows."""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

from keyvault_jwt.invariants import WRITES_PER_ROTATION
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt_aws import parse_url
from keyvault_jwt_aws.secrets_store import LIMITS
from keyvault_jwt_aws.write_quota import INTERVAL, MOST_VERSIONS, RESERVE
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.docs.markdown import ROOT
from tests.docs.test_vault_page import commands, steady, typed

PAGE = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
PORT_OF_THE_PAGE = "http://127.0.0.1:5000"


def test_transcript_prints_what_the_page_shows(strict: StrictSecretsManager, tmp_path: Path) -> None:
    """`create`, `rotate`, `show` and `list` work as written, with the options of the page alone."""
    clean = {
        "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
        "HOME": str(tmp_path),
        "KEYVAULT_JWT_STATE": str(tmp_path / "state"),
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }
    transcripts = re.findall(r"<!-- run as rotator -->\n```console\n(.*?)```", PAGE, re.DOTALL)
    assert len(transcripts) == 1
    shown = commands(transcripts[0])
    assert PORT_OF_THE_PAGE in transcripts[0]
    words = [command.replace(PORT_OF_THE_PAGE, strict.url) for command, _ in shown]
    for (command, expected), output in zip(shown, typed(words, clean, tmp_path), strict=True):
        assert steady(output) == steady(expected), command
    assert strict.count()["PutSecretValue"] > 0


def test_the_figures_of_the_page() -> None:
    """Limits and defaults on the page are those of the code."""
    address = parse_url("awssm://eu-west-1/jwt")
    assert f"{LIMITS.document_bytes // 1000} {LIMITS.document_bytes % 1000} bytes" in PAGE
    assert f"every {WRITES_PER_ROTATION * INTERVAL // 60_000} minutes" in PAGE
    assert f"has had {MOST_VERSIONS - RESERVE} versions within a day" in PAGE
    assert f"| `{address.staleness // 1000}s` |" in PAGE
    assert f"| `{address.connect_timeout // 1000}s`, `{address.read_timeout // 1000}s` |" in PAGE
    assert f"| `{address.deadline // 1000}s` |" in PAGE


def test_the_cost_of_the_page() -> None:
    """The sums follow from the listed prices and the default poll."""
    polls = 30 * 86_400 / RotationPolicy().signer_poll.total_seconds()
    assert f"${polls * 0.05 / 10_000:.2f}" in PAGE
    assert f"${3 * 0.40:.2f} a month" in PAGE


def test_every_option_and_error_is_on_the_page() -> None:
    """What the store URL may say, and each error of the provider's, is listed."""
    from keyvault_jwt_aws import errors

    codes = {
        it.code for it in vars(errors).values() if isinstance(it, type) and it.__module__ == errors.__name__
    }
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
    source = Path(parse_url.__code__.co_filename).read_text(encoding="utf-8")
    options = {*re.findall(r'options\.pop\("(\w+)"', source), "connect_timeout", "read_timeout", "deadline"}
    assert {
        option for option in options if not re.search(rf"^\| (?:`\w+`, )*`{option}`", PAGE, re.MULTILINE)
    } == set()
