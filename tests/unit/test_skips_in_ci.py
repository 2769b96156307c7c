"""A skip is news on a developer's machine and a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
Run = Callable[..., subprocess.CompletedProcess[str]]

SKIPS_A_TEST = "import pytest\ndef test_a():\n    pytest.skip('no vault here')\ndef test_b():\n    pass\n"
SKIPS_A_MODULE = "import pytest\npytest.skip('no vault here', allow_module_level=True)\n"
SKIPS_NOTHING = "def test_a():\n    pass\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run pytest on one test file under our conftest, in a process of its own."""
    shutil.copy(CONFTEST, tmp_path)

    def run_pytest(source: str, *options: str, ci: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(source)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, *options]
        return subprocess.run(
            [*command, "--rootdir", str(tmp_path), str(tmp_path)],
            env=environment | {"CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_pytest


@pytest.mark.parametrize("source", [SKIPS_A_TEST, SKIPS_A_MODULE], ids=["test", "module"])
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_skip_fails_the_session_in_ci(run: Run, source: str, options: tuple[str, ...]) -> None:
    """In CI a skipped test or module fails the run and is listed, with or without xdist."""
    done = run(source, *options, ci="true")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    summary = done.stdout[done.stdout.index("skipped in CI") :]
    assert "test_it.py" in summary
    assert "no vault here" in summary


@pytest.mark.parametrize(("source", "ci"), [(SKIPS_A_TEST, ""), (SKIPS_NOTHING, "true")])
def test_other_sessions_pass(run: Run, source: str, ci: str) -> None:
    """A skip outside CI, and a CI run without skips, succeed without a list."""
    done = run(source, ci=ci)
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "skipped in CI" not in done.stdout
