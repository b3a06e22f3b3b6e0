"""The plant's picture: layers, arrows, levels, and a tab that follows the plant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from canned import CannedLab
from fake_host import FakeHost
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from labsim.client.picture import FlowInfo, Mimic, Station
from labsim.client.records import read
from labsim.text import LANGUAGES
from labsim.tui.widgets.mimic_layout import layers, mimic_lines

Sit = Callable[..., Any]
NAMES = [f"m{n}" for n in range(6)]


def _flow(source: str, target: str, level: int | None = None, capacity: int | None = None) -> FlowInfo:
    return FlowInfo(f"{source}.out", f"{target}.in", "parts", level, capacity)


def _drawn(*flows: FlowInfo, width: int = 100) -> str:
    names = dict.fromkeys(end.rpartition(".")[0] for flow in flows for end in (flow.source, flow.target))
    mimic = Mimic(0, [Station(name, "mixer") for name in names], list(flows))
    return "\n".join(line.plain for line in mimic_lines(mimic, "en", width))


def test_layers_follow_the_parts() -> None:
    """Each station stands after all that give to it; what comes back from a later one does not count."""
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "a")]
    assert layers(["a", "b", "c", "d"], edges) == [["a"], ["b", "c"], ["d"]]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))))
def test_every_station_has_one_place(edges: list[tuple[str, str]]) -> None:
    """However stations are joined, each is in one layer and no layer is empty."""
    found = layers(NAMES, edges)
    assert sorted(name for column in found for name in column) == NAMES
    assert all(found)


def test_neighbours_are_joined_by_arrows() -> None:
    """A flow to the right and one back are arrows with their figures; a branch is a trunk."""
    rows = _drawn(_flow("a", "b", 3, 12), _flow("a", "c", 1, 2), _flow("b", "a", 0, 1)).split("\n")
    assert "│─┬─3/12─▶│ mixer" in rows[1]
    assert "│◀┼─0/1───│" in rows[2]
    assert "└─1/2──▶│ mixer" in rows[6]


def test_a_line_that_is_too_long_goes_on_below() -> None:
    """Where there is no room beside a station, its flow is a line in its box, with a bar."""
    picture = _drawn(_flow("a", "b", 3, 6), width=30)
    assert "▶" not in picture
    assert "→ b ███░░░ 3/6" in picture


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 10**6)), max_size=12),
    st.integers(0, 160),
    st.sampled_from(LANGUAGES),
)
def test_any_picture_fits(flows: list[tuple[str, str, int]], width: int, lang: str) -> None:
    """Whatever flows where, and however wide the screen is, no line is wider, and every flow is told of."""
    mimic = Mimic(0, [Station(name, "mixer") for name in NAMES], [_flow(a, b, n, 10**6) for a, b, n in flows])
    lines = [line.plain for line in mimic_lines(mimic, lang, width)]
    assert all(cell_len(line) <= max(width, 0) for line in lines)
    if width >= 8:
        assert all(any(f" {name} " in line for line in lines) for name in NAMES if width > 12)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_boxes_are_even(lang: str) -> None:
    """Chinese titles do not push the edges of the boxes out of line."""
    lines = [line.plain for line in mimic_lines(read(Mimic, CannedLab().mimic(lang)), lang, 116)]
    assert len({cell_len(line) for line in lines if "│" in line and line.count("│") == 6}) == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_tab_follows_the_plant(host: FakeHost, sit: Sit, size: tuple[int, int]) -> None:
    """5 draws stations, state, values, alarms and buffers, and draws anew as they change; the tasks are a drawer then."""
    async with sit(host, size=size) as seat:
        await seat.press("5")
        await seat.until(lambda: "Loading machine" in seat.seen)
        for part in ("load1", "● Execute", "Actual speed", "27 1/min", "! Starved", "─2/12─▶"):
            assert part in seat.seen
        host.lab.level = 11
        await seat.until(lambda: "─11/12▶" in seat.seen)
        await seat.press("t")
        assert "not checked yet" in seat.seen
        await seat.press("t")
        await seat.until(lambda: "not checked yet" not in seat.seen)
        await seat.press("1")
        await seat.until(lambda: "Loading machine" not in seat.seen)
        asked = [path for _, path, _ in host.asked].count("mimic")
        await seat.until(lambda: [path for _, path, _ in host.asked][-3:] == ["lab"] * 3)
        assert [path for _, path, _ in host.asked].count("mimic") <= asked + 1
