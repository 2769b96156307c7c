"""A mark only ever rises, and forgets no revoked kid."""

from __future__ import annotations

import os
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.marks import Mark, MemoryMarks

marks = st.builds(
    Mark,
    epoch=st.integers(0, 3),
    revision=st.integers(0, 3),
    write_id=st.builds(UUID, int=st.integers(0, 3)),
    revoked=st.frozensets(st.sampled_from("abc")),
)


@given(marks, marks)
def test_raising_never_lowers(kept: Mark, seen: Mark) -> None:
    """A raised mark stands at the higher position and knows the revoked kids of both."""
    raised = kept.raised_to(seen)
    assert raised.position == max(kept.position, seen.position)
    assert raised.revoked == kept.revoked | seen.revoked


@given(marks, marks)
def test_first_write_of_a_revision_stays(kept: Mark, seen: Mark) -> None:
    """Of two writes that claim one revision the first one seen stays the one to compare with."""
    raised = kept.raised_to(seen)
    assert raised.write_id == (seen if seen.position > kept.position else kept).write_id


@given(st.lists(marks, min_size=1))
def test_memory_marks_keep_the_highest(seen: list[Mark]) -> None:
    """Saved in any order, marks add up to the highest; another keyring's is untouched."""
    store = MemoryMarks()
    for mark in seen:
        assert store.save("a", mark) == store.load("a")
    kept = store.load("a")
    assert kept is not None
    assert kept.position == max(mark.position for mark in seen)
    assert store.load("b") is None
    store.reset("a")
    assert store.load("a") is None


def test_marks_outlive_a_fork() -> None:
    """A thread that held the marks when its process forked does not hold them in the child."""
    kept = MemoryMarks()
    with kept._guard:
        child = os.fork()
        if child == 0:
            free = kept._guard.acquire(timeout=5)
            os._exit(0 if free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
