"""Lines fit the terminal, whatever is written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from labsim.tui.wrap import clean, wrap


@given(st.text(), st.integers(2, 60))
def test_no_line_is_wider_than_the_room(text: str, width: int) -> None:
    """Every line fits, whatever the script."""
    assert all(cell_len(line) <= width for line in wrap(text, width))


@given(st.text(), st.integers(2, 60))
def test_nothing_but_space_is_lost(text: str, width: int) -> None:
    """All that can be seen of a text is still there, in order."""
    assert "".join("".join(wrap(text, width)).split()) == "".join(clean(text).split())


def test_closing_marks_do_not_begin_a_line() -> None:
    """Chinese breaks anywhere, but a comma stays with what it ends."""
    assert wrap("手冊從四萬零一開始，線上從零開始。", 18) == ["手冊從四萬零一開", "始，線上從零開始。"]


def test_words_stay_whole() -> None:
    """Latin breaks at spaces; a word too long for a line is cut."""
    assert wrap("the wire counts from zero", 12) == ["the wire", "counts from", "zero"]
    assert wrap("opc.tcp://127.0.0.1", 10) == ["opc.tcp://", "127.0.0.1"]


def test_payload_cannot_steer_the_terminal() -> None:
    """Control characters from a payload become spaces."""
    assert clean("a\x1b[2Jb\x07\u202e\u0085") == "a [2Jb   "
