"""The history gives back what was true, compared with an oracle that looks at every record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import AttemptError, EvidenceError, InputError, UnknownNameError
from labsim.evidence.history import History
from labsim.evidence.history_file import last_step, read_records
from labsim.evidence.history_writer import HistoryWriter

from .conftest import STEP_NS, TAGS

BAD = 0x808C0000
BY_PATH = {tag.path: tag for tag in TAGS}


def write(folder: Path, epochs: list[list[tuple[int, dict[int, float | str], int]]]) -> History:
    """A history of epochs of (step, value by row, status)."""
    for number, steps in enumerate(epochs, 1):
        writer = HistoryWriter(folder, number)
        for step, values, status in steps:
            numbers = [writer.text(v) if isinstance(v, str) else v for v in values.values()]
            writer.append(step, list(values), numbers, [status] * len(values))
        writer.close()
    return History(folder, BY_PATH)


def test_a_record_is_18_bytes_little_endian(tmp_path: Path) -> None:
    """The bytes on disk are as documented: step, tag, status, value; texts one JSON string a line."""
    write(tmp_path, [[(258, {1: 1.0, 2: "開機"}, BAD)]])
    data = (tmp_path / "history" / "e0001.bin").read_bytes()
    assert data[:18].hex() == "02010000010000008c80000000000000f03f"
    assert len(data) == 36
    assert (tmp_path / "history" / "e0001.text").read_text("utf-8") == '"開機"\n'


def test_values_come_in_the_tags_own_type(tmp_path: Path) -> None:
    """A bool is a bool, a counter an int, a text a text."""
    history = write(tmp_path, [[(0, {0: 1.5, 1: 7, 2: "O1000", 3: 1}, 0)]])
    values = [history.value_at(path, 0) for path in BY_PATH]
    assert values == [(1.5, 0), (7, 0), ("O1000", 0), (True, 0)]
    assert [type(v[0]) for v in values if v] == [float, int, str, bool]


def test_texts_of_several_epochs_do_not_mix(tmp_path: Path) -> None:
    """Line numbers of texts are per epoch, and a text seen before is not written again."""
    history = write(tmp_path, [[(0, {2: "a"}, 0), (1, {2: "b"}, 0), (2, {2: "a"}, 0)], [(3, {2: "c"}, 0)]])
    assert [history.value_at("m.program", n * STEP_NS) for n in range(4)] == [("a", 0), ("b", 0), ("a", 0), ("c", 0)]
    assert list(history.series("m.program", STEP_NS, 9 * STEP_NS).values) == ["b", "a", "c"]
    assert (tmp_path / "history" / "e0001.text").read_bytes() == b'"a"\n"b"\n'


def test_many_texts_are_all_found(tmp_path: Path) -> None:
    """More texts than the writer remembers still have right line numbers."""
    texts = [f"job {n % 1500}" for n in range(3000)]
    history = write(tmp_path, [[(n, {2: text}, 0) for n, text in enumerate(texts)]])
    assert list(history.series("m.program", 0, 3000 * STEP_NS).values) == texts


def test_half_a_record_is_left_out(tmp_path: Path) -> None:
    """A record cut off by a crash, or one whose text a power cut took, was not kept."""
    write(tmp_path, [[(0, {0: 1.0, 2: "a"}, 0), (1, {0: 2.0, 2: "b"}, 0)]])
    records, texts = tmp_path / "history" / "e0001.bin", tmp_path / "history" / "e0001.text"
    records.write_bytes(records.read_bytes() + b"\x00" * 17)
    texts.write_bytes(b'"a"\n"b')
    history = write(tmp_path, [])
    assert len(read_records(records)) == 4
    assert history.value_at("m.speed", STEP_NS) == (2.0, 0)
    assert history.value_at("m.program", STEP_NS) == ("a", 0)
    assert history.last_step == last_step(tmp_path) == 1


def test_the_mean_is_weighted_by_time(tmp_path: Path) -> None:
    """10 for nine steps and 20 for one is 11; time of Bad status does not count."""
    history = write(tmp_path, [[(0, {0: 10.0}, 0), (9, {0: 20.0}, 0), (10, {0: 999.0}, BAD), (12, {0: 5.0}, 0)]])
    assert history.mean("m.speed", 0, 10 * STEP_NS) == pytest.approx(11.0)
    assert history.mean("m.speed", 0, 12 * STEP_NS) == pytest.approx(11.0)
    assert history.mean("m.speed", 9 * STEP_NS, 9 * STEP_NS) == 20.0
    assert history.mean("m.speed", 10 * STEP_NS, 11 * STEP_NS) is None
    assert history.mean("m.count", 0, 10 * STEP_NS) is None


def test_names_and_kinds_are_checked(tmp_path: Path) -> None:
    """An unknown tag is named with the nearest spelling; a text has no mean; an epoch is claimed once."""
    history = write(tmp_path, [[(0, {0: 1.0}, 0)]])
    with pytest.raises(UnknownNameError, match=r"Did you mean 'm\.speed'"):
        history.value_at("m.sped", 0)
    with pytest.raises(InputError, match="is a text"):
        history.mean("m.program", 0, 1)
    with pytest.raises(AttemptError, match="claimed"):
        HistoryWriter(tmp_path, 1)


def test_no_history_is_an_empty_one(tmp_path: Path) -> None:
    """A lab that never took a step has no values, and says so without failing."""
    history = History(tmp_path, BY_PATH)
    assert history.value_at("m.speed", 0) is None
    assert len(history.series("m.speed", 0, STEP_NS)) == 0
    assert history.mean("m.speed", 0, STEP_NS) is None
    assert history.last_step == -1


def test_a_closed_history_refuses(tmp_path: Path) -> None:
    """Nothing is recorded after close."""
    writer = HistoryWriter(tmp_path, 1)
    writer.close()
    with pytest.raises(EvidenceError, match="closed"):
        writer.append(0, [0], [0.0], [0])
    writer.append(0, [], [], [])


step_records = st.tuples(
    st.integers(0, 5),
    st.dictionaries(st.sampled_from([0, 1, 3]), st.integers(0, 1000).map(float), min_size=1),
    st.sampled_from([0, 0x40900000, BAD]),
)


@given(
    epochs=st.lists(st.lists(step_records, max_size=8), max_size=3),
    path=st.sampled_from(["m.speed", "m.count", "m.on"]),
    t0=st.integers(-STEP_NS, 60 * STEP_NS) | st.integers(0, 60).map(lambda n: n * STEP_NS),
    length=st.integers(0, 30 * STEP_NS),
)
def test_against_an_oracle(
    tmp_path_factory: pytest.TempPathFactory,
    epochs: list[list[tuple[int, dict[int, float], int]]],
    path: str,
    t0: int,
    length: int,
) -> None:
    """value_at, series and mean agree with looking at every record, over epochs, at any time."""
    step, flat = 0, []
    written: list[list[tuple[int, dict[int, float | str], int]]] = []
    for epoch in epochs:
        written.append([])
        for more, values, status in epoch:
            step += more
            written[-1].append((step, dict(values), status))
            flat += [(step * STEP_NS, v, status) for row, v in values.items() if row == BY_PATH[path].row]
    history = write(tmp_path_factory.mktemp("history"), written)
    t1 = t0 + length

    def naive(t: int) -> tuple[float, int] | None:
        found = None
        for time, value, status in flat:
            if time <= t:
                found = (value, status)
        return found

    expected = naive(t0)
    got = history.value_at(path, t0)
    assert (got is None) == (expected is None)
    if got is not None and expected is not None:
        kind = {"m.speed": float, "m.count": int, "m.on": bool}[path]
        assert got == (kind(expected[0]), expected[1])

    series = history.series(path, t0, t1)
    oracle = [(t0, *expected)] if expected else []
    oracle += [(time, value, status) for time, value, status in flat if t0 < time <= t1]
    assert list(zip(series.times_ns.tolist(), series.values.tolist(), series.statuses.tolist(), strict=True)) == oracle

    weight = total = 0.0
    ends = [time for time, _, _ in oracle[1:]] + [t1]
    for (time, value, status), end in zip(oracle, ends, strict=False):  # no records, no end
        if status != BAD:
            weight += end - time
            total += (end - time) * value
    mean = history.mean(path, t0, t1)
    if length and weight:
        assert mean == pytest.approx(total / weight)
    elif length:
        assert mean is None
    assert np.all(np.diff(series.times_ns) >= 0)
