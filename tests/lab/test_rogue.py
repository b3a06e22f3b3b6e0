"""Rogue clients: each attack is seen on the wire from its own address, stands in evidence, ends when told, is nobody's deed."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.probing import without_rogues
from labsim.errors import InputError, ScenarioError, UnknownNameError
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.coach import Coach
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.lab.rogue.layer import source_of
from labsim.lab.rogue.table import ROGUE_FAULTS, parse_attack
from labsim.plant.status import BAD_USER_ACCESS_DENIED
from labsim.probe.error import ProbeError
from labsim.probe.mqtt import MqttProbe
from labsim.probe.target import Target
from labsim.scenario.load import load_scenario
from labsim.sparkplug.payload import BD_SEQ, decode

SCENARIO = """\
labsim: 1
id: rogues
title: Rogues
level: junior
minutes: 5
plant:
  tank1: {type: tank}
  coolant1: {type: coolant-unit}
  energy1: {type: energy-meter}
  pid1: {type: pid-controller}
endpoints:
  - modbus: {port: 5020, units: {1: tank1, 2: coolant1, 3: energy1, 4: pid1}}
  - opcua:
      port: 4840
      devices: [tank1, coolant1, pid1]
      users: [{name: operator, password: long-and-secret}, {name: engineer, password: "1111", role: Engineer}]
  - mqtt: {port: 1883, devices: [tank1], commands: "cmd/{device}/{tag}"}
  - mqtt: {port: 1884, devices: [coolant1], style: sparkplug, sparkplug: {group: g, edge: e, primary_host: scada}}
TIMELINEtasks:
  - id: write
    title: Write
    marks: 1
    checks:
      - modbus.wrote: {tag: tank1.valve_setpoint, marks: 1}
penalties:
  - modbus.never: {tags: [tank1.valve_setpoint], at_least: 0, marks: 1}
"""


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.01)


def scenario_in(folder: Path, timeline: str = "") -> Path:
    """The scenario's folder."""
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO.replace("TIMELINE", timeline), encoding="utf-8")
    return folder


def options_in(folder: Path) -> Options:
    """Quick, on free ports."""
    return Options(seed="rogue", attempt=folder / "attempt", speed=20.0, port_base=0)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A running lab."""
    async with Lab(scenario_in(tmp_path / "scenario"), options_in(tmp_path)) as running:
        yield running


def seen(lab: Lab, protocol: str, kind: str, **wanted: Any) -> list[Record]:
    """Records of a kind that came from a rogue's address since the last attack began."""
    evidence = Evidence.load(lab.options.attempt)
    since = max((r.seq for r in evidence.of("lab", "fault") if r.detail["phase"] == "begin"), default=0)
    left = {record.seq for record in without_rogues(evidence).records}
    return [
        one
        for one in evidence.of(protocol, kind)
        if one.seq > since
        and one.seq not in left
        and all(getattr(one, name) == value for name, value in wanted.items())
    ]


def payloads(records: Sequence[Record]) -> list[Any]:
    """Sparkplug payloads of messages."""
    return [decode(bytes.fromhex(str(one.values[0]))) for one in records]


def _wrote(protocol: str, tag: str, value: float) -> Callable[[Lab], Any]:
    def has(lab: Lab) -> Any:
        return [r for r in seen(lab, protocol, "write") if r.tags == [tag] and r.values == [value] and not r.status]

    return has


def _scattered(lab: Lab) -> Any:
    values = {r.values[0] for r in seen(lab, "modbus", "write") if r.tags == ["pid1.remote_setpoint"]}
    return len(values) > 2 and all(49 <= one <= 51 for one in values)


def _replayed(lab: Lab) -> Any:
    reads, writes = (
        [r.values for r in seen(lab, "modbus", kind) if r.tags == ["pid1.target_setpoint"]]
        for kind in ("read", "write")
    )
    return len(writes) > 3 and reads and writes[0] in reads


def _alarms_disabled(lab: Lab) -> Any:
    told = {r.detail["condition"] for r in seen(lab, "opcua", "condition") if r.detail["action"] == "disable"}
    mine = {f"coolant1.{name}" for name in lab.plant.devices["coolant1"].interface.alarms}
    return told == mine and _wrote("opcua", "tank1.pump_command", 1)(lab)


def _exceptions(lab: Lab) -> Any:
    return len({r.detail["address"] for r in seen(lab, "modbus", "read", status=2)}) > 15


def _twins(lab: Lab) -> Any:
    births = [r for r in seen(lab, "mqtt", "publish") if r.subject == "spBv1.0/g/NBIRTH/e"]
    data = [r for r in seen(lab, "mqtt", "publish") if r.subject == "spBv1.0/g/NDATA/e"]
    return births and [one.seq for one in payloads(data)][:3] == [1, 2, 3]


def _death(lab: Lab) -> Any:
    found = payloads([r for r in seen(lab, "mqtt", "publish") if r.subject == "spBv1.0/g/NDEATH/e"])
    return found and found[0].get(BD_SEQ).worth() == 255


def _old_state(lab: Lab) -> Any:
    found = [r for r in seen(lab, "mqtt", "publish") if r.subject == "spBv1.0/STATE/scada"]
    utc_ms = lab.clock.utc_ns(lab.clock.now_ns()) // 1_000_000
    return found and json.loads(found[0].values[0])["timestamp"] < utc_ms - 3_000_000


ROWS: list[tuple[str, str, dict[str, Any], Callable[[Lab], Any]]] = [
    ("modbus", "write", {"victim": "tank1.valve_setpoint", "value": 70, "every": 1},
     _wrote("modbus", "tank1.valve_setpoint", 70)),
    ("modbus", "false-measurements", {"victim": "pid1.remote_setpoint", "value": 50, "spread": 1}, _scattered),
    ("modbus", "replay", {"victim": "pid1.target_setpoint", "record": 3, "every": 0.5}, _replayed),
    ("modbus", "safety-change", {"victim": "coolant1.safety_relief_pressure", "value": 900},
     _wrote("modbus", "coolant1.safety_relief_pressure", 900)),
    ("modbus", "scan", {"unit": 1, "first": 5000}, _exceptions),
    ("modbus", "counter-reset", {"victim": "energy1.active_import_energy_t1"},
     _wrote("modbus", "energy1.active_import_energy_t1", 0)),
    ("modbus", "session-flood", {"sessions": 15}, lambda lab: len(seen(lab, "modbus", "open")) >= 15),
    ("opcua", "write", {"victim": "tank1.valve_setpoint", "value": 30, "every": 1},
     lambda lab: seen(lab, "opcua", "write", status=BAD_USER_ACCESS_DENIED)),
    ("opcua", "write", {"victim": "tank1.valve_setpoint", "value": 30, "user": "engineer", "password": "1111"},
     lambda lab: _wrote("opcua", "tank1.valve_setpoint", 30)(lab) and seen(lab, "opcua", "write", user="engineer")),
    ("opcua", "false-measurements", {"victim": "pid1.remote_setpoint", "value": 50},
     _wrote("opcua", "pid1.remote_setpoint", 50)),
    ("opcua", "replay", {"victim": "tank1.level", "into": "tank1.valve_setpoint", "record": 1, "every": 0.5},
     lambda lab: seen(lab, "opcua", "write", user="operator")),
    ("opcua", "takeover", {"victim": "tank1.valve_setpoint", "value": 99},
     lambda lab: _wrote("opcua", "tank1.valve_setpoint", 99)(lab) and seen(lab, "opcua", "write", user="operator")),
    ("opcua", "default-password", {"user": "engineer", "victim": "tank1.valve_setpoint", "value": 1},
     lambda lab: seen(lab, "opcua", "write", user="engineer", values=[1.0])),
    ("opcua", "alarms-off", {"victim_device": "coolant1", "victim": "tank1.pump_command", "value": 1}, _alarms_disabled),
    ("opcua", "safety-change", {"victim": "coolant1.safety_door_mode", "value": 0, "user": "engineer"},
     lambda lab: [r for r in seen(lab, "opcua", "write") if r.tags == ["coolant1.safety_door_mode"]]),
    ("opcua", "brute-force", {"every": 0.5}, lambda lab: len(seen(lab, "opcua", "reject")) > 3),
    ("opcua", "session-flood", {"sessions": 5}, lambda lab: len(seen(lab, "opcua", "session")) >= 5),
    ("mqtt.1", "spoofed-publish", {"topic": "acme/line1/order", "payload": "stop", "client_id": "mes"},
     lambda lab: seen(lab, "mqtt", "publish", subject="acme/line1/order", app="mes", values=["stop"])),
    ("mqtt.1", "spoofed-publish", {"victim": "tank1.valve_setpoint", "value": 55},
     _wrote("mqtt", "tank1.valve_setpoint", 55)),
    ("mqtt.1", "default-password", {}, lambda lab: seen(lab, "mqtt", "connect")),
    ("mqtt.1", "brute-force", {"user": "gateway"},
     lambda lab: [r for r in seen(lab, "mqtt", "connect") if r.detail.get("name") == "gateway"]),
    ("mqtt.1", "session-flood", {"sessions": 15}, lambda lab: len(seen(lab, "mqtt", "connect")) >= 15),
    ("mqtt.2", "twin-edge-node", {"every": 0.5}, _twins),
    ("mqtt.2", "late-ndeath", {}, _death),
    ("mqtt.2", "old-state", {}, _old_state),
]  # fmt: skip
"""Endpoint, attack, parameters, and what shows at the endpoint. The duplicate client id needs somebody to disturb."""


@pytest.mark.timeout(180)
async def test_every_attack_is_seen_told_and_ended(lab: Lab) -> None:
    """Its traffic comes from its own address; its beginning and end stand in the journal; then it is gone."""
    for endpoint, attack, parameters, shows in ROWS:
        target = f"rogue.{endpoint}"
        lab.instructor.fault(target, attack, {**parameters, "host": 99, "hidden": True})
        await until(lambda: shows(lab))  # noqa: B023 - awaited at once
        assert lab.instructor.fault(target, "good", {})["ended"] == 1
        await until(lambda: not lab._rogues._tasks)
        begun, ended = [r for r in Evidence.load(lab.options.attempt).of("lab", "fault") if r.subject == target][-2:]
        assert (begun.detail["fault"], begun.detail["hidden"]) == (f"rogue.{attack}", True)
        assert begun.detail["parameters"]["host"] == 99
        assert ended.detail["number"] == begun.detail["number"]
        told = [
            r
            for r in Evidence.load(lab.options.attempt).of("lab", "rogue")
            if r.detail["number"] == begun.detail["number"]
        ]
        addresses = {r.detail["client"] for r in told if r.detail["phase"] == "open"}
        assert addresses
        assert all(one.startswith(f"{source_of(99)}:") for one in addresses)
        assert addresses == {r.detail["client"] for r in told if r.detail["phase"] == "close"}
        assert any(r.detail["phase"] == "act" for r in told)
    await until(lambda: not lab.ledger.clients)
    assert {(endpoint.partition(".")[0], attack) for endpoint, attack, _, _ in ROWS} | {
        ("mqtt", "duplicate-client-id")
    } == {(protocol, attack) for protocol, table in ROGUE_FAULTS.items() for attack in table}
    coach = Coach(lab.plant)
    shown = [coach.entry(r) for r in Evidence.load(lab.options.attempt).of("lab") if r.kind in ("fault", "rogue")]
    assert not any(shown), "hidden ones are not in the feed"


@pytest.mark.timeout(60)
async def test_a_client_id_that_two_have(lab: Lab) -> None:
    """Both hang up on each other as long as it lasts."""
    url = next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt")
    target = Target("mqtt", "127.0.0.1", int(url.rpartition(":")[2]))

    def be_there() -> str:
        with MqttProbe(target, client_id="gateway-7") as client:
            came.set()
            try:
                for _ in range(400):
                    client.pump(0.05)
            except ProbeError as error:
                return str(error)
        return ""

    came = threading.Event()
    there = asyncio.create_task(asyncio.to_thread(be_there))
    await until(came.is_set)
    lab.instructor.fault("rogue.mqtt.1", "duplicate-client-id", {"client_id": "gateway-7"})
    assert await there, "the one that was there has lost its connection"
    assert Evidence.load(lab.options.attempt).of("mqtt", "takeover")
    lab.instructor.fault("rogue.mqtt.1", "good", {})
    await until(lambda: not lab._rogues._tasks)


@pytest.mark.timeout(60)
async def test_what_a_rogue_does_is_nobodys_deed_and_replays(tmp_path: Path) -> None:
    """Its writes earn no mark and cost none, by the timeline and with a condition; a replay computes the same plant."""
    timeline = (
        "timeline:\n"
        "  - {at: 1 s, rogue: modbus, fault: write, victim: tank1.valve_setpoint, value: 80, every: 1, for: 5, hidden: true}\n"
        "  - draw: 1\n"
        "    of:\n"
        "      - {when: {tag: tank1.valve_setpoint, above: 50}, rogue: mqtt.1, fault: spoofed-publish, "
        "victim: tank1.pump_command, value: 1}\n"
    )
    async with Lab(scenario_in(tmp_path / "scenario", timeline), options_in(tmp_path)) as lab:
        await until(lambda: seen(lab, "mqtt", "write"))
        await until(lambda: len(seen(lab, "modbus", "write")) > 2)
        verdict = await lab.close("enough")
    assert verdict["score"] == 0
    assert verdict["penalties"] == []
    ended = Evidence.load(tmp_path / "attempt").of("lab", "fault")
    assert {r.detail["by"] for r in ended} >= {"timeline", "condition"}
    assert replay_attempt(tmp_path / "attempt").difference is None


@pytest.mark.timeout(60)
async def test_a_rogue_comes_again_after_a_restart(tmp_path: Path) -> None:
    """One that acts again and again goes on under a new host; one that was to act once has acted."""
    folder = scenario_in(tmp_path / "scenario")
    async with Lab(folder, options_in(tmp_path)) as lab:
        lab.instructor.fault("rogue.modbus", "write", {"victim": "tank1.valve_setpoint", "value": 80, "every": 1})
        lab.instructor.fault("rogue.opcua", "takeover", {"victim": "tank1.valve_setpoint", "value": 20})
        await until(lambda: seen(lab, "modbus", "write") and seen(lab, "opcua", "write"))
    written = len(seen(lab, "modbus", "write"))
    async with Lab(folder, options_in(tmp_path)) as lab:
        await until(lambda: len(seen(lab, "modbus", "write")) > written + 1)
        assert len(seen(lab, "opcua", "write")) == 1
        assert lab.instructor.fault("rogue.modbus", "good", {})["ended"] == 1


def test_where_there_is_one_loopback_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS a rogue comes from 127.0.0.1."""

    class OneAddress(socket.socket):
        def bind(self, address: Any) -> None:
            if address[0] != "127.0.0.1":
                raise OSError(49, "Can't assign requested address")

    source_of.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", OneAddress)
        assert source_of(66) == "127.0.0.1"
    source_of.cache_clear()


@pytest.mark.parametrize(
    ("target", "attack", "given", "error"),
    [
        ("rogue.modbus", "takeover", {}, UnknownNameError),
        ("rogue.modbus", "write", {"victim": "tank1.valve_setpoint"}, InputError),
        ("rogue.modbus", "write", {"victim": "tank1.nothing", "value": 1}, InputError),
        ("rogue.opcua", "takeover", {"victim": "energy1.operating_time", "value": 1}, InputError),
        ("rogue.opcua", "alarms-off", {"victim_device": "tank9"}, UnknownNameError),
        ("rogue.modbus", "write", {"victim": "tank1.valve_setpoint", "value": 1, "host": 1}, InputError),
        ("rogue.mqtt.1", "twin-edge-node", {}, UnknownNameError),
        ("rogue.mqtt.1", "old-state", {}, InputError),
        ("rogue.mqtt.1", "spoofed-publish", {"topic": "a"}, InputError),
        ("rogue.mqtt.2", "spoofed-publish", {"victim": "coolant1.pump_command", "value": 1}, InputError),
        ("rogue.http", "write", {}, UnknownNameError),
    ],
)
async def test_what_cannot_be(
    lab: Lab, target: str, attack: str, given: dict[str, Any], error: type[InputError]
) -> None:
    """An attack that cannot happen is refused, and nothing of it is in the journal."""
    with pytest.raises(error):
        lab.instructor.fault(target, attack, given)
    assert not Evidence.load(lab.options.attempt).of("lab", "fault")


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ("rogue: modbuss, fault: write", "unknown-link", "modbuss"),
        ("rogue: modbus, fault: writes", "unknown-fault", "a rogue client at modbus"),
        ("rogue: modbus, fault: write, victim: tank1.valve_setpoint", "bad-value", "needs 'value'"),
        ("rogue: modbus, fault: write, victim: tank1.valve, value: 1", "unknown-tag", "valve"),
        ("rogue: modbus, fault: write, victim: tank.level, value: 1", "unknown-device", "tank"),
        ("rogue: modbus, fault: write, victim: tank1.level, valeu: 1", "unknown-key", "valeu"),
        ("rogue: opcua, fault: alarms-off, victim_device: tank9", "unknown-device", "tank9"),
    ],
)
def test_lint_knows_rogue_clients(tmp_path: Path, entry: str, code: str, said: str) -> None:
    """Endpoints, attacks, parameters, tags and devices, each where it stands."""
    folder = scenario_in(tmp_path / "scenario", f"timeline:\n  - {{at: 1 s, {entry}}}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder, seed="x", catalogue=LabCatalogue())
    assert [(p.code, said in p.message) for p in caught.value.problems] == [(code, True)]


def test_a_scan_that_ends_before_it_begins() -> None:
    """Its addresses have an order."""
    with pytest.raises(InputError, match="before"):
        parse_attack("modbus", "scan", {"first": 10, "last": 9})
