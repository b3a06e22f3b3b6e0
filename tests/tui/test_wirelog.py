"""The wire folds what repeats and keeps what differs."""

from __future__ import annotations

from typing import Any

from fake_host import entry
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from labsim.client.records import FeedEntry, read
from labsim.tui.widgets.wirelog import KEPT, WireLog, lines, wall


def _entry(seq: int, text: str = "You read.", **fields: Any) -> FeedEntry:
    return read(FeedEntry, entry(seq, text, **fields))


def test_a_poll_of_several_registers_folds() -> None:
    """Polls that repeat in turn fold each into its own row, though what they read changes; the row shows the latest."""
    log = WireLog()
    log.add(_entry(n, f"You read register {n % 3} → {n:04x}") for n in range(36))
    assert [row.count for row in log.rows] == [12, 12, 12]
    assert log.rows[0].entry.text["en"].endswith("0021")


def test_what_differs_stays_apart() -> None:
    """Another outcome, device or client, and another written value, are rows of their own; another port is not."""
    log = WireLog()
    log.add([_entry(1), _entry(2, level="error"), _entry(3, device="meter2"), _entry(4, client="10.0.0.9:1")])
    log.add([_entry(5, "You wrote 1 → good", level="write"), _entry(6, "You wrote 1 → bad", level="write")])
    log.add([_entry(7, client="127.0.0.1:9")])
    assert [row.count for row in log.rows] == [2, 1, 1, 1, 1, 1]


def test_advice_outlives_its_repetitions() -> None:
    """The coach says a thing once; the folded row goes on showing it."""
    log = WireLog()
    log.add([_entry(1, advice={"en": "Count from 0."}), _entry(2), _entry(3)])
    assert [line.text for line in lines(log.rows[0], "en", 40)] == ["You read.", "Count from 0."]


def test_filters_choose_by_level() -> None:
    """All, errors, writes."""
    log = WireLog()
    log.add([_entry(1), _entry(2, level="error"), _entry(3, level="write")])
    assert [[row.entry.seq for row in log.chosen(which)] for which in ("all", "errors", "writes")] == [
        [1, 2, 3],
        [2],
        [3],
    ]


def test_memory_is_bounded() -> None:
    """An afternoon of traffic keeps only the newest rows."""
    log = WireLog()
    log.add(_entry(n, f"You read {n}.") for n in range(KEPT + 50))
    assert len(log.rows) == KEPT
    assert log.rows[-1].entry.seq == KEPT + 49


@given(st.text(), st.text(), st.integers(8, 90))
def test_lines_fit(text: str, advice: str, width: int) -> None:
    """A payload of any characters breaks into lines that fit."""
    log = WireLog()
    log.add([_entry(1, text, advice={"en": advice})])
    found = lines(log.rows[0], "zh-Hant", width)
    assert found
    assert all(cell_len(line.text) <= width for line in found)


@given(st.integers())
def test_any_time_is_shown(w: int) -> None:
    """A time no clock can show is dashes, not an end of the program."""
    assert len(wall(FeedEntry(1, w=w))) == 8
