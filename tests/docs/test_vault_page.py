"""The transcripts of docs/vault.md: typed into a shell, they print what the page shows, on a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

from keyvault_jwt.testing.bao_server import BaoServer
from tests.docs.markdown import ROOT

_TRANSCRIPT = re.compile(r"<!-- run as (\w+) -->\n```console\n(.*?)```", re.DOTALL)
_DURATION = r"\d+(?:\.\d+)?(?:ms|s|m|h|d)"
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])"), "KID"),
    (re.compile(r"^[\w-]{8,9}(?= +[a-z-]+ )", re.MULTILINE), "KID"),
    (re.compile(r"(?<= ES256 )( +)[\w-]{12}(?= )"), r"\1KID"),
    (re.compile(rf"(?<![\w.-])(?:{_DURATION})+(?!\w)"), "DURATION"),
    (re.compile("[┄░▓▒·│]{20,}"), "LANE"),
    (re.compile(" +"), " "),
)
"""What is another each time, and what stands for it in a comparison."""


def commands(transcript: str) -> list[tuple[str, str]]:
    """Return each command with the output that follows it."""
    found = re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]
    parts = [re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", one, re.DOTALL) for one in found]
    return [(part[1], part[2]) for part in parts if part is not None]


def steady(output: str) -> str:
    """Return the output without what is another each time."""
    for pattern, name in _VARIES:
        output = pattern.sub(name, output)
    return "\n".join(line.rstrip() for line in output.strip().splitlines())


def typed(words: list[str], environment: dict[str, str], directory: Path) -> list[str]:
    """Run the commands in one shell that stops at the first failure, and return what each printed."""
    mark = "=== next ==="
    script = f"set -euo pipefail\n{f'{chr(10)}echo; echo {mark!r}{chr(10)}'.join(words)}\n"
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(mark)


def test_transcripts_print_what_the_page_shows(tmp_path: Path) -> None:
    """Policy, AppRole, `create`, `rotate` and `show` work as written, the latter with that policy alone."""
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))
    clean = {
        "PATH": scripts,
        "HOME": str(tmp_path),
        "KEYVAULT_JWT_STATE": str(tmp_path / "state"),
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }
    transcripts = _TRANSCRIPT.findall((ROOT / "docs" / "vault.md").read_text(encoding="utf-8"))
    assert [who for who, _ in transcripts] == ["root", "rotator", "root"]
    with BaoServer() as bao:
        for who, transcript in transcripts:
            credentials = bao.environment if who == "root" else {"BAO_ADDR": bao.url}
            shown = commands(transcript)
            printed = typed([command for command, _ in shown], clean | credentials, tmp_path)
            for (command, expected), output in zip(shown, printed, strict=True):
                assert steady(output) == steady(expected), command


def test_a_transcript_that_lies_is_found() -> None:
    """What stands for a kid, a time or an age hides no state, no count and no missing line."""
    page = "payments: revision 4\n  added  " + "k" * 43 + "  ES256\nkid012345  active  signing  ES256  1.3s\n"
    assert steady(page) == steady(page.replace("k" * 43, "-" + "q" * 42).replace("1.3s", "1m2s"))
    for lie in (
        page.replace("revision 4", "revision 5"),
        page.replace("active", "standby"),
        page.replace("added", "promoted"),
        page.splitlines()[0],
    ):
        assert steady(lie) != steady(page)
