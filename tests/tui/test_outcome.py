"""An outcome carries a sign, a colour and a word, and none of them alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from labsim.client.records import CheckOutcome, TaskInfo, TaskOutcome
from labsim.tui.widgets.outcome import fact, grade, number, task_block
from labsim.tui.words import WORDS


@pytest.mark.parametrize(
    ("outcome", "score", "sign", "word"),
    [
        ("passed", 4, "✔", "passed"),
        ("failed", 0, "✘", "failed"),
        ("failed", 1, "◐", "partly"),
        ("not_checked", 0, "⊘", "waits for another"),
        ("cannot_check", 0, "!", "our fault, costs nothing"),
        ("invented-later", 0, "!", "could not be checked"),
        (None, 0, "·", "not checked yet"),
    ],
)
def test_sign_comes_with_its_word(outcome: str | None, score: float, sign: str, word: str) -> None:
    """Each outcome shows its sign and says the same in words."""
    found = None if outcome is None else TaskOutcome("t", outcome=outcome, score=score, max=4)
    plain = task_block(TaskInfo("t", title="Read", marks=4), 1, found, "en", 40, expanded=False).plain
    assert plain.startswith(f"{sign} 1  Read")
    assert word in plain


def test_checks_say_reason_expected_actual_help() -> None:
    """An opened task shows all that the grader said of each check."""
    check = CheckOutcome("t.1", "answer.is", "failed", 0, 3, "The order", "It was another.", "BADC", 4.50, "chapter 4")
    task = TaskOutcome("t", outcome="failed", max=3, checks=[check])
    plain = task_block(TaskInfo("t", title="Orders", marks=3), 2, task, "en", 44, expanded=True).plain
    for part in (
        "✘ The order · failed",
        "0/3",
        "It was another.",
        "expected BADC",
        "got      4.5",
        "look at chapter 4",
    ):
        assert part in plain


@given(st.integers(24, 100), st.sampled_from(["en", "zh-Hant", "zh-Hans"]), st.text(max_size=80), st.text(max_size=80))
def test_block_fits_its_width(width: int, lang: str, title: str, reason: str) -> None:
    """Whatever an author writes, no line is wider than the panel."""
    check = CheckOutcome("t.1", title, "failed", 1, 3, title, reason, reason, reason, reason)
    task, outcome = TaskInfo("t", title=title, marks=3, answer=title), TaskOutcome("t", title, "failed", 1, 3, [check])
    block = task_block(task, 1, outcome, lang, width, expanded=True)
    assert all(cell_len(line) <= width for line in block.plain.split("\n"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_value_is_shown_in_a_line(value: Any) -> None:
    """Expected and actual may be any JSON."""
    assert len(fact(value)) <= 400


def test_marks_have_no_needless_zeros() -> None:
    """Whole marks are whole."""
    assert [number(value) for value in (4.0, 2.5, 1 / 3, 0, 10, 100)] == ["4", "2.5", "0.33", "0", "10", "100"]


def test_every_grade_has_a_word() -> None:
    """`grade` only gives names there are words for."""
    for outcome in ("passed", "failed", "not_checked", "cannot_check", "", "x"):
        assert f"outcome.{grade(CheckOutcome('c', outcome=outcome))}" in WORDS
