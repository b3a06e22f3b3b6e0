"""Faults of a running lab: by timeline, condition, draw and instructor; told or hidden; in evidence, and done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymodbus.client import AsyncModbusTcpClient

from labsim.cli.main import run_command
from labsim.errors import AttemptError
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.plant import status
from labsim.plant.clock import MAX
from labsim.scenario.folder import find_scenario
from labsim.scenario.load import lint_scenario, load_scenario
from labsim.scenario.timeline import drawn_entries

TIMELINE = """
timeline:
  - {at: 1 s, device: meter1, tag: voltage_l1, fault: offset, by: 987.5, for: 3 s, hidden: true}
  - {at: 1 s, device: meter1, tag: current_l1, fault: noise, deviation: "${noise}"}
  - {when: {tag: meter1.voltage_l2, above: 10, for: 2 s}, device: meter2, fault: dead, for: 1 s}
  - {when: {tag: meter1.voltage_l1, above: 900}, device: meter2, fault: clock-skew}
  - draw: 1
    hidden: true
    of:
      - {at: 2 s, device: meter3, tag: voltage_l1, fault: stuck, value: 5}
      - {at: 2 s, device: meter3, tag: voltage_l2, fault: stuck, value: 5}
      - {at: 2 s, device: meter3, tag: voltage_l3, fault: stuck, value: 5}
"""


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.005)


def write(folder: Path, timeline: str) -> Path:
    """Modbus-mapping with further faults in its timeline."""
    source = find_scenario("modbus-mapping")
    folder.mkdir()
    for file in source.iterdir():
        if file.is_file():
            folder.joinpath(file.name).write_bytes(file.read_bytes())
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    text = text.replace("\nvariants:\n", "\nvariants:\n  noise: {choose: [2, 3]}\n")
    text = text.replace("\ntimeline:\n", timeline)  # before what the lab has itself
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario with faults."""
    return write(tmp_path / "scenario", TIMELINE)


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Quick, on free ports."""
    return Options(seed="faults", attempt=tmp_path / "attempt", speed=20.0, port_base=0)


def faults(folder: Path) -> list[Record]:
    """What the journal says of faults."""
    return list(Evidence.load(folder).of("lab", "fault"))


def read(lab: Lab, path: str) -> float:
    """What is shown of a tag."""
    return float(lab.plant.store.value[lab.plant.store[path].row])


async def test_a_timeline_lets_things_fail_and_a_replay_does_it_again(folder: Path, options: Options) -> None:
    """What is shown is wrong for its time, the truth is recorded beside it, and both come out the same, bit for bit."""
    async with Lab(folder, options) as lab:
        assert 200 < read(lab, "meter1.voltage_l1") < 260
        await until(lambda: read(lab, "meter1.voltage_l1") > 1000)
        await until(lambda: lab.plant.devices["meter2"].condition.dead)
        lab.instructor.fault("meter1.frequency", "spikes", {"every": 1, "by": 5, "for": "2 s"})
        await until(lambda: read(lab, "meter1.voltage_l1") < 1000)
        await until(lambda: lab.clock.step > 80)
        await lab.close("enough")
    seen = [(r.subject, r.detail["fault"], r.detail["phase"], r.detail["by"]) for r in faults(options.attempt)]
    assert ("meter1.voltage_l1", "offset", "begin", "timeline") in seen
    assert ("meter1.voltage_l1", "offset", "end", "timeline") in seen
    assert ("meter2", "dead", "begin", "condition") in seen
    assert ("meter1.frequency", "spikes", "begin", "instructor") in seen
    assert not any(
        fault == "clock-skew" for _, fault, _, _ in seen
    )  # its condition looks at the truth, not at what is shown
    drawn = [r for r in faults(options.attempt) if r.subject.startswith("meter3.")]
    assert [r.detail.get("hidden") for r in drawn] == [True]
    assert drawn[0].detail["parameters"]["value"] == 5
    noise = next(r for r in faults(options.attempt) if r.detail["fault"] == "noise")
    assert noise.detail["parameters"]["deviation"] == lab.scenario.drawn["noise"]
    history = Evidence.load(options.attempt).history
    at = 2_000_000_000
    wrong, true = (history.value_at(f"meter1.voltage_l1{end}", at) for end in ("", ".true"))
    assert wrong is not None
    assert true is not None
    assert float(wrong[0]) == pytest.approx(float(true[0]) + 987.5, abs=1e-3)
    assert replay_attempt(options.attempt).difference is None


async def test_a_resumed_lab_goes_on_with_its_faults(folder: Path, options: Options) -> None:
    """After a kill a fault in force is in force, ends in its time, and nothing of the timeline happens twice."""
    async with Lab(folder, options) as lab:
        lab.instructor.fault("meter1.voltage_l3", "stuck", {"value": 7, "for": "6 s"})
        await until(lambda: read(lab, "meter1.voltage_l1") > 1000)
    async with Lab(folder, options) as again:
        assert read(again, "meter1.voltage_l3") == 7
        assert read(again, "meter1.voltage_l1") > 1000
        await until(lambda: read(again, "meter1.voltage_l3") > 7)
        await again.close("enough")
    begun = [r.detail["entry"] for r in faults(options.attempt) if "entry" in r.detail]
    assert len(begun) == len(set(begun)) == 4
    assert replay_attempt(options.attempt).difference is None


async def test_hidden_faults_are_told_to_nobody(folder: Path, options: Options) -> None:
    """The feed has those that are not hidden, in three languages; the control API lists what may happen, not what does."""
    async with Lab(folder, options) as lab, Control(lab, "127.0.0.1", 0) as control:
        await until(lambda: read(lab, "meter1.voltage_l1") > 1000 and len(faults(options.attempt)) >= 3)
        async with httpx.AsyncClient(base_url=control.url + "/") as api:
            seen = (await api.get("lab")).text + (await api.get("faults")).text
            seen += (await api.get("faults", params={"target": "meter1.voltage_l1"})).text
            assert "987.5" not in seen
            assert "stuck" in seen
            assert (await api.get("faults", params={"target": "meter1.volts"})).status_code == 404
        async with asyncio.timeout(60):
            async for entry in lab.feed.listen(0):
                assert not entry["detail"].get("hidden")
                if entry["kind"] == "fault":
                    assert entry["text"]["en"] == "Fault at meter1.current_l1: noise."
                    assert set(entry["text"]) == {"en", "zh-Hant", "zh-Hans"}
                    break


async def test_the_command_begins_lists_and_ends(
    folder: Path, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    """``labsim fault`` lists targets and faults, begins one with parameters, and ends it with ``good``."""
    async with Lab(folder, options) as lab, Control(lab, "127.0.0.1", 0) as control:

        async def run(*line: str) -> int:
            return await asyncio.to_thread(run_command, ["fault", control.url, *line])

        assert await run() == 0
        assert await run("meter1") == 0
        said = capsys.readouterr().out
        assert "meter1.voltage_l1\n" in said
        assert "clock-skew: " in said
        assert await run("meter2.voltage_l1", "stuck", "--set", "value=3", "--for", "1 h", "--hidden") == 0
        await until(lambda: read(lab, "meter2.voltage_l1") == 3)
        assert await run("meter2.voltage_l1", "stuck", "valeu=3") == 2
        assert "Did you mean 'value'" in capsys.readouterr().err
        assert await run("meter2.voltage_l1", "good") == 0
        await until(lambda: read(lab, "meter2.voltage_l1") != 3)


async def test_a_paused_plant_is_read_and_not_written(folder: Path, options: Options) -> None:
    """While paused a write gets exception 06, reads go on, nothing moves; it is journalled and goes on from where it was."""
    async with Lab(folder, options) as lab, Control(lab, "127.0.0.1", 0) as control:
        assert await asyncio.to_thread(run_command, ["pause", control.url]) == 0
        step = lab.clock.step
        port = int(lab.addresses()[0]["url"].rpartition(":")[2])
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        base = int(lab.scenario.drawn["base1"])
        assert (await client.write_coil(base, True, device_id=11)).exception_code == 6
        assert not (await client.read_coils(base, count=1, device_id=11)).isError()
        assert lab.plant.store.refusing == status.BAD_INVALID_STATE
        with pytest.raises(AttemptError):
            lab.instructor.fault("meter1", "dead", {})
        assert (lab.clock.step, lab.state) == (step, "paused")
        assert await asyncio.to_thread(run_command, ["resume", control.url]) == 0
        await until(lambda: lab.clock.step > step)
        assert not (await client.write_coil(base, True, device_id=11)).isError()
        client.close()
        await lab.close("enough")
    records = Evidence.load(options.attempt).of("lab", "pause")
    assert [r.detail["phase"] for r in records] == ["begin", "end"]
    assert replay_attempt(options.attempt).difference is None


def test_seats_draw_different_faults_and_one_seat_always_the_same(folder: Path) -> None:
    """Of a list as many happen as are to be drawn; over the seats each of them."""
    scenario = load_scenario(folder, seed="x", catalogue=LabCatalogue())
    drawn = [tuple(drawn_entries(scenario.timeline, str(seed), scenario.id)) for seed in range(40)]
    assert {len(numbers) for numbers in drawn} == {6}
    assert {numbers[4] for numbers in drawn} == {4, 5, 6}
    assert drawn == [tuple(drawn_entries(scenario.timeline, str(seed), scenario.id)) for seed in range(40)]


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        ("{at: 1 s, device: meter1, fault: stuck}", "unknown-fault", "needs the 'tag'"),
        ("{at: 1 s, device: meter1, tag: voltage_l1, fault: stick}", "unknown-fault", "Did you mean 'stuck'"),
        ("{at: 1 s, device: meter1, tag: voltage, fault: stuck}", "unknown-tag", "voltage"),
        ("{at: 1 s, device: meter1, tag: voltage_l1, fault: offset, bye: 4}", "unknown-key", "Did you mean 'by'"),
        ("{at: 1 s, device: meter1, tag: voltage_l1, fault: lag, tau: 0}", "bad-value", "0.1 to 86400"),
        ("{at: 1 s, device: meter1, tag: voltage_l1, fault: swapped}", "bad-value", "'with'"),
        ("{device: meter1, tag: voltage_l1, fault: stuck}", "bad-value", "'at' or 'when'"),
        ("{when: {tag: meter1.volt, above: 3}, device: meter1, fault: dead}", "unknown-tag", "volt"),
        ("{when: {tag: meter1.voltage_l1}, device: meter1, fault: dead}", "bad-value", "'above'"),
        ("{when: {tag: mill1.tool_name, above: 3}, device: meter1, fault: dead}", "bad-value", "is a text"),
        ("{draw: 2, of: [{at: 1 s, device: meter1, fault: dead}]}", "bad-value", "only 1"),
        ("{draw: 1, of: [{at: 1 s, device: meter1, fault: daed}]}", "unknown-fault", "Did you mean 'dead'"),
        ("{at: 1 s, endpoint: modbus, fault: connection-limit, sessions: -1}", "bad-value", "sessions"),
        ("{at: 1 s, endpoint: modbus, fault: conection-limit}", "unknown-fault", "connection-limit"),
        ("{at: 1 s, endpoint: modbuss, fault: connection-limit}", "unknown-link", "modbus"),
    ],
)
def test_lint_judges_a_timeline(tmp_path: Path, entry: str, code: str, words: str) -> None:
    """Each mistake is one problem, on its line, with a way out."""
    timeline = f'timeline:\n  - {entry}\n  - {{at: 1 s, device: meter1, tag: voltage_l1, fault: noise, deviation: "${{noise}}"}}'
    folder = edited(write(tmp_path / "wrong", timeline), ("\nplant:\n", "\nplant:\n  mill1: {type: cnc-mill}\n"))
    found = [p for p in lint_scenario(folder, LabCatalogue()) if "scenario.yaml" in p.file]
    assert [p.code for p in found] == [code], found
    assert words in f"{found[0].message} {found[0].hint}"


async def test_a_lab_in_a_hurry_ends_when_its_time_is_over(folder: Path, options: Options) -> None:
    """At the greatest speed it runs so many plant seconds, faults and all, and a replay agrees."""
    async with Lab(folder, replace(options, speed=MAX, until=60)) as lab:
        async with asyncio.timeout(60):
            await lab.stopping.wait()
        assert (lab.done, lab.clock.step, lab.clock.late_steps) == (True, 600, 0)
        await lab.close("its time was over")
    assert len(faults(options.attempt)) > 5
    assert replay_attempt(options.attempt).difference is None


def edited(folder: Path, *changes: tuple[str, str]) -> Path:
    """The scenario with texts replaced in it."""
    file = folder / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    return folder


SENSOR = ("    type: power-meter\n", "    type: power-meter\n    sensors: {frequency: {offset: 10, noise: 0.5}}\n")
TRUE = ("          device: meter1\n", "          device: meter1\n          tags: [meter1.voltage_l3.true]\n")


async def test_a_sensor_of_the_scenario_and_a_truth_that_a_check_asks_for(folder: Path, options: Options) -> None:
    """A chain shows its value and has its truth recorded; so has a tag whose truth a check names. A replay agrees."""
    async with Lab(edited(folder, SENSOR, TRUE), options) as lab:
        await until(lambda: lab.clock.step > 30)
        assert read(lab, "meter1.frequency") > 57
        await lab.close("enough")
    history = Evidence.load(options.attempt).history
    true, shown = (history.value_at(f"meter1.frequency{end}", 1_000_000_000) for end in (".true", ""))
    assert true is not None
    assert shown is not None
    assert float(true[0]) == pytest.approx(50, abs=1)
    assert float(shown[0]) > 57
    assert history.value_at("meter1.voltage_l3.true", 1_000_000_000) is not None
    assert replay_attempt(options.attempt).difference is None


@pytest.mark.parametrize(
    ("new", "code", "words"),
    [
        ("{frequenzy: {noise: 1}}", "unknown-tag", "Did you mean 'frequency'"),
        ("{frequency: {nois: 1}}", "bad-sensor", "Did you mean 'noise'"),
        ("{frequency: {noise: -1}}", "bad-sensor", "less than 0"),
        ("{overload: {noise: 1}}", "bad-sensor", "bool"),
    ],
)
def test_lint_judges_sensors(folder: Path, new: str, code: str, words: str) -> None:
    """A chain of no tag, a stage that is none and a value that cannot be are told at their place."""
    edited(folder, (SENSOR[0], f"    type: power-meter\n    sensors: {new}\n"))
    found = [p for p in lint_scenario(folder, LabCatalogue()) if "scenario.yaml" in p.file]
    assert [p.code for p in found] == [code]
    assert words in f"{found[0].message} {found[0].hint}"
