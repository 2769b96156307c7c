"""Whatever takes long says so."""

from __future__ import annotations

import threading

from keyvault_jwt.cli.progress import PATIENCE, Progress


def test_a_long_wait_is_told_and_told_again() -> None:
    """Once its patience is over, and at each interval from then on, the watcher says what is done."""
    said: list[str] = []
    twice = threading.Event()

    def tell(text: str) -> None:
        said.append(text)
        if len(said) == 2:
            twice.set()

    with Progress(tell, patience=0.001, interval=0.001).of("making keys"):
        assert twice.wait(10)
    assert said[0] == "still making keys …"
    assert len(said) >= 2


def test_a_short_one_is_not_told() -> None:
    """Nothing is said of what is over at once, and no thread stays behind."""
    said: list[str] = []
    before = threading.active_count()
    with Progress(said.append, patience=60).of("nothing"):
        pass
    assert said == []
    assert threading.active_count() == before


def test_patience_is_two_seconds() -> None:
    """Progress on anything over two seconds."""
    assert PATIENCE == 2
