"""The heap of due times: the earliest first, whatever was changed on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.due_heap import DueHeap

NAMES = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.integers(0, 20)),
        st.tuples(st.just("remove"), NAMES, st.just(0)),
        st.tuples(st.just("take"), st.just(""), st.integers(0, 20)),
    ),
    max_size=400,
)


@given(STEPS)
def test_it_agrees_with_a_plain_dict(steps: list[tuple[str, str, int]]) -> None:
    """Whatever is put, replaced, removed and taken, the answers are those of a sorted dict."""
    heap, model = DueHeap(), dict[str, int]()
    for step, name, number in steps:
        if step == "put":
            heap.put(name, number)
            model[name] = number
        elif step == "remove":
            heap.remove(name)
            model.pop(name, None)
        else:
            due = {name for name, at in model.items() if at <= number}
            taken = heap.take(number)
            assert [model[name] for name in taken] == sorted(model[name] for name in due)
            assert set(taken) == due
            model = {name: at for name, at in model.items() if name not in due}
        assert heap.earliest() == min(model.values(), default=None)
        assert len(heap) == len(model)


def test_times_that_were_replaced_do_not_pile_up() -> None:
    """A name whose time changes for ever takes no more memory than a few."""
    heap = DueHeap()
    for due in range(10_000):
        heap.put("a", 10_000 - due % 2)
    assert len(heap._heap) < 100
    assert heap.take(10_000) == ["a"]
