from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.window import best_window


def test_the_best_window_may_begin_anywhere() -> None:
    """A bad beginning and a bad end do not count against a good middle."""
    best = best_window([(0, 1), (10, 20), (22, 30)], 20)
    assert (best.start, best.good_ns) == (10, 18)


def test_nothing_good_fills_nothing() -> None:
    """No spans, empty spans and an empty window are 0."""
    assert best_window([], 10).good_ns == 0
    assert best_window([(5, 5)], 10).good_ns == 0
    assert best_window([(5, 6)], 0).good_ns == 0


@given(st.lists(st.integers(0, 60), unique=True), st.integers(1, 40))
def test_no_window_is_better_than_the_best(edges: list[int], length: int) -> None:
    """Trying every start gives the same."""
    marks = sorted(edges)
    spans = list(zip(marks[::2], marks[1::2], strict=False))
    good = [any(a <= x < b for a, b in spans) for x in range(120)]
    assert best_window(spans, length).good_ns == max(sum(good[x : x + length]) for x in range(61))
