"""Links of a running lab: by timeline and by instructor, in evidence, told or hidden, and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from labsim.cli.main import run_command
from labsim.errors import InputError, UnknownNameError
from labsim.evidence.evidence import Evidence
from labsim.lab.coach import Coach
from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

TIMELINE = """
timeline:
  - {at: 1 s, link: modbus, state: black-hole, for: 500 ms, hidden: true}
  - {at: 1 s, link: mqtt, state: slow, delay: 200 ms, client: 127.0.0.2}
"""


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.005)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """First-contact with a timeline."""
    scenario = find_scenario("first-contact")
    made = tmp_path / "scenario"
    made.mkdir()
    for file in scenario.iterdir():
        if file.is_file():
            made.joinpath(file.name).write_bytes(file.read_bytes())
    text = (made / "scenario.yaml").read_text(encoding="utf-8")
    (made / "scenario.yaml").write_text(text.replace("\ntasks:\n", f"{TIMELINE}\ntasks:\n"), encoding="utf-8")
    return made


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Quick, on free ports."""
    return Options(seed="links", attempt=tmp_path / "attempt", speed=10.0, port_base=0)


@pytest.fixture
async def lab(folder: Path, options: Options) -> AsyncIterator[Lab]:
    """A running lab."""
    async with Lab(folder, options) as running:
        yield running


def faults(lab: Lab) -> list[tuple[str, str, str]]:
    """What the journal says of links."""
    records = Evidence.load(lab.options.attempt).of("lab", "fault")
    return [(record.subject, record.detail["fault"], record.detail["phase"]) for record in records]


def told(lab: Lab) -> list[dict[str, Any]]:
    """What the trainee was told of links."""
    coach = Coach(lab.plant)
    said = [coach.entry(record) for record in Evidence.load(lab.options.attempt).of("lab", "fault")]
    return [entry for entry in said if entry is not None]


async def test_a_timeline_impairs_links_in_plant_time(lab: Lab) -> None:
    """Each change is in the journal at its plant time; a hidden one is not told, another is, in three languages."""
    await until(lambda: ("link.modbus", "link.black-hole", "end") in faults(lab))
    records = Evidence.load(lab.options.attempt).of("lab", "fault")
    assert [(r.subject, r.detail["phase"]) for r in records] == [
        ("link.modbus", "begin"),
        ("link.mqtt", "begin"),
        ("link.modbus", "end"),
    ]
    assert records[0].detail == {
        "fault": "link.black-hole", "phase": "begin", "number": 1, "hidden": True, "by": "timeline", "for": 0.5, "entry": 0,
    }  # fmt: skip
    assert records[1].detail["client"] == "127.0.0.2"
    assert records[1].detail["delay"] == 0.2
    assert 0.4e9 <= records[2].t - records[0].t <= 3e9  # a busy machine may look late, never early
    assert len(told(lab)) == 1
    assert told(lab)[0]["text"]["en"] == "The link to mqtt is slow."
    assert set(told(lab)[0]["text"]) == {"en", "zh-Hant", "zh-Hans"}


async def test_an_instructor_impairs_and_clears(lab: Lab) -> None:
    """``POST /fault`` puts a link into a state and ``good`` ends it; a reset without a duration is over at once."""
    async with Control(lab, "127.0.0.1", 0) as control, httpx.AsyncClient(base_url=control.url + "/") as api:
        body = {"target": "link.opcua", "fault": "throttle", "rate": 1000, "hidden": True}
        assert (await api.post("fault", json=body)).json() == {"target": "link.opcua", "fault": "throttle"}
        await api.post("fault", json={"target": "link.opcua", "fault": "reset"})
        ended = (await api.post("fault", json={"target": "link.opcua", "fault": "good"})).json()
        assert ended == {"target": "link.opcua", "fault": "good", "ended": 1}
        for wrong, status, why in [
            ({"target": "link.opcuaa", "fault": "slow", "delay": "1 s"}, 404, "Did you mean 'link.opcua'"),
            ({"target": "mill1", "fault": "stuck"}, 404, "mill1"),
            ({"target": "link.opcua", "fault": "slow"}, 400, "needs 'delay'"),
            ({"target": "link.opcua", "fault": "slwo"}, 400, "slow"),
            ({"target": "link.opcua", "fault": "slow", "delay": "soon"}, 400, "not a duration"),
            ({"target": "link.opcua", "fault": "slow", "dealy": "1 s"}, 400, "Did you mean 'delay'"),
        ]:
            answer = await api.post("fault", json=wrong)
            assert answer.status_code == status, answer.text
            assert why in answer.json()["error"]
    assert [row for row in faults(lab) if row[0] == "link.opcua"] == [
        ("link.opcua", "link.throttle", "begin"),
        ("link.opcua", "link.reset", "begin"),
        ("link.opcua", "link.reset", "end"),
        ("link.opcua", "link.throttle", "end"),
    ]


async def test_the_command(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``labsim fault`` passes parameters, duration and secrecy on."""
    async with Control(lab, "127.0.0.1", 0) as control:
        line = ["fault", control.url, "link.mqtt", "slow", "delay=300 ms", "jitter=0.05", "--for", "1 h", "--hidden"]
        assert await asyncio.to_thread(run_command, line) == 0
        assert await asyncio.to_thread(run_command, ["fault", control.url, "link.mqtt", "slow"]) == 2
    assert capsys.readouterr().out == "link.mqtt: slow\n"
    records = Evidence.load(lab.options.attempt).of("lab", "fault")
    (record,) = [record for record in records if record.detail["by"] == "instructor"]
    facts = {"delay": 0.3, "jitter": 0.05, "for": 3600.0, "hidden": True, "by": "instructor"}
    assert facts.items() <= record.detail.items()


async def test_a_link_stays_impaired_over_a_restart(folder: Path, options: Options) -> None:
    """A host that comes back finds the states in the journal that had begun and not ended, and ends them in their time."""
    async with Lab(folder, options) as lab:
        lab.instructor.fault("link.opcua", "black-hole", {"for": "30 s"})
        lab.instructor.fault("link.modbus", "refuse", {"for": "1 h", "client": "127.0.0.3"})
        lab.instructor.fault("link.modbus", "good", {})
        lab.clock.pause()
    async with Lab(folder, options) as again:
        opcua = again._links._link("opcua")
        assert [(i.state, i.client) for i in opcua.active] == [("black-hole", "")]
        assert not any(i.state == "refuse" for i in again._links._link("modbus").active)
        await until(lambda: not opcua.active)
        assert ("link.opcua", "link.black-hole", "end") in faults(again)


async def test_a_lab_in_a_black_hole_ends(lab: Lab) -> None:
    """A lab closes at once while its links are impaired and clients hang in them."""
    port = int(next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt").rpartition(":")[2])
    lab.instructor.fault("link.mqtt", "black-hole", {})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
    verdict = await lab.close("the test is over")
    assert verdict["score"] == 0
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    writer.close()


async def test_what_a_lab_refuses(lab: Lab) -> None:
    """An unknown target and settings that make no state are input errors."""
    with pytest.raises(UnknownNameError, match=r"link\.modbus"):
        lab.instructor.fault("link.modbuss", "reset", {})
    with pytest.raises(InputError, match="needs 'rate'"):
        lab.instructor.fault("link.modbus", "throttle", {})
