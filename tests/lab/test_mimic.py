"""The plant's picture over the control API, read by the client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import devices
from labsim.client.client import LabClient
from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.mimic import key_tags, state_tag
from labsim.lab.options import Options

SCENARIO = """\
labsim: 1
id: line
title: Line
level: junior
minutes: 5
include: [pack]
plant:
  fill1: {title: {en: Filler, zh-Hant: 灌裝, zh-Hans: 灌装}}
endpoints:
  - modbus: {port: 0, units: {1: load1, 2: fill1}}
  - opcua: {port: 0, devices: [seal1]}
tasks:
  - id: a
    title: A
    marks: 1
    checks:
      - plant.never: {tag: fill1.tank_level, low: 1, marks: 1}
"""


@pytest.fixture
def running(tmp_path: Path):
    """Starts the line, as training or exam, and gives a client of its control API."""

    async def running(mode: str) -> AsyncIterator[tuple[Lab, LabClient]]:
        folder = tmp_path / "line"
        folder.mkdir()
        text = SCENARIO.replace("minutes: 5\n", f"minutes: 5\nmode: {mode}\n")
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        async with (
            Lab(folder, Options(seed="m", attempt=tmp_path / "attempt", port_base=0)) as lab,
            Control(lab, "127.0.0.1", 0) as control,
            LabClient(control.url) as client,
        ):
            yield lab, client

    return running


async def test_the_picture_has_stations_states_and_levels(running) -> None:
    """Served devices with their state in the language asked for, lanes with their level, supplies without a figure."""
    async for lab, client in running("training"):
        for _ in range(600):
            lab.plant.advance()
        mimic = await client.mimic("zh-Hant")
        stations = {station.device: station for station in mimic.stations}
        assert list(stations) == ["load1", "fill1", "seal1", "line_meter", "line_oee"]
        filler = stations["fill1"]
        assert (filler.title, filler.place) == ("灌裝", "acme/lisbon/packaging/line1/filling")
        assert filler.state is not None
        assert (filler.state.tag, filler.state.value) == ("state_current", lab.plant.devices["fill1"]["state_current"])
        assert filler.state.label == "執行" or filler.state.value != 6
        lane = next(flow for flow in mimic.flows if flow.source == "load1.parts_out")
        assert (lane.target, lane.carries, lane.capacity) == ("fill1.parts_in", "parts", 12)
        assert lane.level == len(lab.plant.devices["load1"].lane("parts_out"))
        power = next(flow for flow in mimic.flows if flow.carries == "power")
        assert (power.level, power.capacity) == (None, None)


async def test_nothing_that_is_marked_or_not_served_is_shown(running) -> None:
    """No value of a device that no endpoint serves, and none that a check measures against."""
    async for lab, client in running("training"):
        stations = {station.device: station for station in (await client.mimic()).stations}
        for path in ("line_oee", "line_meter"):
            assert (stations[path].state, stations[path].values) == (None, [])
        assert "fill1.tank_level" in lab.graded
        shown = [value.tag for value in stations["fill1"].values]
        assert shown
        assert "tank_level" not in shown


async def test_a_veiled_value_is_what_the_sensor_shows(running) -> None:
    """A stuck sensor shows its stuck value in the picture, not the true one."""
    async for lab, client in running("training"):
        lab.plant.store.veil("seal1.cur_mach_speed")
        for _ in range(600):
            lab.plant.advance()
        assert lab.plant.devices["seal1"]["cur_mach_speed"] > 0
        values = {v.tag: v.value for s in (await client.mimic()).stations if s.device == "seal1" for v in s.values}
        assert values["cur_mach_speed"] == 0


async def test_an_exam_shows_no_values(running) -> None:
    """In an exam, which a face is told of, the picture has machines and conveyors alone."""
    async for _, client in running("exam"):
        assert (await client.lab()).mode == "exam"
        mimic = await client.mimic()
        assert len(mimic.stations) == 5
        assert all(station.state is None and not station.values for station in mimic.stations)
        assert any(flow.level is not None for flow in mimic.flows)


def test_every_machine_has_something_to_show() -> None:
    """A state or a number with a unit, so that no station is an empty box; servers of information systems may be."""
    interfaces = [devices.interface(kind) for kind in devices.names()]
    machines = [one for one in interfaces if {"modbus", "mqtt"} & set(one.protocols)]
    assert len(machines) > 20
    assert [one.type for one in machines if not (state_tag(one) or key_tags(one))] == []
