"""A history that is read while it is written gives the same as one read at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import AttemptError, UnknownNameError
from labsim.evidence.history import History
from labsim.evidence.history_writer import HistoryWriter
from labsim.evidence.live import LiveHistory

from .conftest import STEP_NS, TAGS

BY_PATH = {tag.path: tag for tag in TAGS}


def test_it_grows(tmp_path: Path) -> None:
    """Each look finds what was written since, also of texts, and over a restart."""
    live = LiveHistory(tmp_path, BY_PATH)
    assert len(live.whole("m.program")) == 0
    writer = HistoryWriter(tmp_path, 1)
    writer.append(0, [0, 2], [1.5, writer.text("a")], [0, 0])
    assert list(live.whole("m.program").values) == ["a"]
    first = live.whole("m.program")
    assert live.whole("m.program") is first
    writer.append(3, [2], [writer.text("b")], [0])
    writer.close()
    second = HistoryWriter(tmp_path, 2)
    second.append(5, [2], [second.text("c")], [0])
    series = live.whole("m.program")
    assert list(series.values) == ["a", "b", "c"]
    assert list(series.times_ns) == [0, 3 * STEP_NS, 5 * STEP_NS]
    assert list(first.values) == ["a"]
    second.close()


def test_half_a_record_waits(tmp_path: Path) -> None:
    """What is not whole yet is read when it is."""
    HistoryWriter(tmp_path, 1).close()
    path = tmp_path / "history" / "e0001.bin"
    other = HistoryWriter(tmp_path / "other", 1) if (tmp_path / "other").mkdir() is None else None
    assert other is not None
    other.append(1, [0], [2.5], [0])
    other.close()
    record = (tmp_path / "other" / "history" / "e0001.bin").read_bytes()
    live = LiveHistory(tmp_path, BY_PATH)
    path.write_bytes(record + record[:7])
    assert list(live.whole(TAGS[0].path).values) == [2.5]
    path.write_bytes(record * 2)
    assert list(live.whole(TAGS[0].path).values) == [2.5, 2.5]


def test_an_unknown_tag_and_a_broken_text(tmp_path: Path) -> None:
    """Errors name the tag, and the file."""
    live = LiveHistory(tmp_path, BY_PATH)
    with pytest.raises(UnknownNameError):
        live.whole("m.nothing")
    HistoryWriter(tmp_path, 1).close()
    (tmp_path / "history" / "e0001.text").write_bytes(b"no json\n")
    with pytest.raises(AttemptError, match=r"e0001\.text"):
        live.whole("m.program")


RECORDS = st.lists(st.tuples(st.sampled_from([0, 1, 3]), st.integers(0, 1)), max_size=30)


@given(RECORDS, st.sets(st.integers(0, 30)))
def test_it_agrees_with_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]], looks: set[int]
) -> None:
    """Whenever somebody looks in between."""
    folder = tmp_path_factory.mktemp("live")
    live, writer = LiveHistory(folder, BY_PATH), HistoryWriter(folder, 1)
    for step, (row, value) in enumerate(rows):
        writer.append(step, [row], [value], [0])
        if step in looks:
            live.whole(TAGS[row].path)
    writer.close()
    whole = History(folder, BY_PATH)
    for row in {row for row, _ in rows}:
        expected = whole.series(TAGS[row].path, 0, 10**12)
        got = live.whole(TAGS[row].path)
        assert np.array_equal(got.values, expected.values)
