"""What every test lives by: a component that is missing in CI is a failure, not a skip."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.canary import Canaries

# A loaded machine may stand still in any example: how long one took says nothing of the code.
settings.register_profile(
    "unhurried", parent=settings(), deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.load_profile("unhurried")


class SkipsAreFailures:
    """Turns a session with skipped tests into a failed one that lists them.

    A skip says that something the test needs is not here.  On a developer's machine that is
    news enough; in CI it would hide that a part of the product went unproved.
    """

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped:
            where = report.longrepr
            reason = where[2] if isinstance(where, tuple) else "expected to fail"
            self.skipped.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped in CI, so this run has failed", red=True, bold=True)
            for line in self.skipped:
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Look for private halves in all that tests print; in CI, watch for skips.

    Under xdist the controller alone counts skips, since it hears of all of them.
    """
    config.pluginmanager.register(Canaries(), "canaries")
    if os.environ.get("CI") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipsAreFailures(), "skips-are-failures")
