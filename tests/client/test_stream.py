"""The reader of server-sent events faces a network, so it is fed every way a network can."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.client import stream
from labsim.client.stream import EventStream
from labsim.errors import ControlError

TEXTS = st.text().map(lambda text: json.dumps({"text": text}, ensure_ascii=False))


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


@given(st.lists(TEXTS, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 999), max_size=8))
def test_events_survive_any_cut(texts: list[str], end: str, cuts: list[int]) -> None:
    """However the bytes are cut and lines are ended, the data of every event arrives whole and in order."""
    raw = "".join(f": beat{end}{end}id: 1{end}data: {text}{end}{end}" for text in texts).encode()
    reader = EventStream()
    found = [data for chunk in _cut(raw, cuts) for data in reader.push(chunk)] + reader.push(b"\n")
    assert found == texts


@given(st.lists(st.binary(max_size=64), max_size=16))
def test_any_bytes_are_survived(chunks: list[bytes]) -> None:
    """Bytes that are no event stream give whatever data they hold, never an exception."""
    reader = EventStream()
    for chunk in chunks:
        assert all(isinstance(data, str) for data in reader.push(chunk))


def test_lines_of_data_are_joined() -> None:
    """Several data lines of one event are one text with line feeds (§9.2.6)."""
    assert EventStream().push(b"data: a\ndata:b\nretry: 3\n\n") == ["a\nb"]


def test_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that never ends its event is cut off before it fills the memory."""
    monkeypatch.setattr(stream, "LIMIT", 100)
    with pytest.raises(ControlError, match="endless"):
        EventStream().push(b"data: " + b"x" * 200)
