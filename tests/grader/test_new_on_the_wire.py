"""The store, sessions, ends and faults as the endpoints and the host really write them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client as OpcuaClient
from asyncua import ua
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from test_on_the_wire import Gateway, until

from grader.checks import load
from grader.outcome import Outcome, State
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options

# the bench of test_on_the_wire, whose folder comes first on the path
from test_on_the_wire import Field  # isort: skip


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    """A lab whose plant stands still."""
    running = Field(tmp_path)
    yield running
    running.close()


@pytest.fixture
def judge(field: Field) -> Callable[..., Outcome]:
    """The outcome of one check on what the lab saw so far."""

    def outcome(name: str, **params: Any) -> Outcome:
        check = load(name)
        return check().judge(field.evidence, check.Params.model_validate(params))

    return outcome


def test_untouched_earns_nothing(judge: Callable[..., Outcome]) -> None:
    """No new check gives a mark for a lab that nobody has touched."""
    tag = "meter1.voltage_l1"
    for name, params in {
        "data.genuine": None,  # for penalties: nothing published is nothing made up
        "fault.reported": {"topic": "r"},
        "file.schema": {"file": "a.json", "schema": {}},
        "file.series": {"file": "a.csv", "columns": {"v": tag}, "every": "1 s", "for": "5 s"},
        "kpi.energy": {"file": "a.csv", "row": "x", "tags": ["meter1.active_energy_delivered"]},
        "kpi.oee": {"topic": "t", "figure": "availability", "state": "mill1.machinery_item_state", "producing": [1]},
        "modbus.rate": {"devices": ["meter1"], "most": 10},
        "mqtt.by-exception": {"topic": "#", "heartbeat": "1 s", "for": "5 s"},
        "mqtt.latency": {"topic": "#", "tag": tag, "within": "1 s"},
        "mqtt.points": {"points": {"a": tag}},
        "mqtt.rate": {"topic": "#", "most": 10},
        "mqtt.replied": {"request": "cmd"},
        "mqtt.retained": {"cleared": ["a"], "none": ["#"]},
        "mqtt.session": {},
        "mqtt.told": {"topic": "a", "fault": "meter1", "within": "1 s"},
        "http.requested": {"device": "meter1"},
        "opcua.closed": {},
        "opcua.condition": {"alarm": "mill1.coolant_temperature", "action": "shelve"},
        "opcua.listened": {},
        "opcua.no-session": {"identity": "anonymous"},
        "probe.mqtt": {"expect": "refused"},
        "quality.labelled": {"points": {"a": tag}},
    }.items():
        if params is not None:
            outcome = judge(name, **params)
            assert (outcome.state, outcome.score) == (State.FAILED, 0), name


def test_the_store_as_the_broker_keeps_it(field: Field, judge: Callable[..., Outcome]) -> None:
    """A retained message that stays, one that is cleared, and one that was never to be kept."""
    gateway = Gateway(field, "gw")
    gateway.connect()
    for topic, payload, retain in (("a", "on", True), ("b", "on", True), ("b", "", True), ("c", "on", False)):
        gateway.client.publish(topic, payload, 1, retain).wait_for_publish(10)
    gateway.leave(abruptly=False)
    assert judge("mqtt.retained", says={"a": "on"}, cleared=["b"]).score == 1
    assert judge("mqtt.retained", topics=["c"]).score == 0


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_a_session_as_the_broker_keeps_it(
    field: Field, judge: Callable[..., Outcome], version: int, kept: bool
) -> None:
    """In both versions: resumed with what was sent meanwhile, or begun anew."""
    new = version == MQTTProtocolVersion.MQTTv5
    expiry = Properties(PacketTypes.CONNECT)
    expiry.SessionExpiryInterval = 300
    how: dict[str, Any] = {"properties": expiry, "clean_start": not kept} if new else {}

    def portal() -> Gateway:
        return Gateway(field, "portal", version, **({} if new else {"clean_session": not kept}))

    first = portal()
    first.connect(**how)
    first.subscribe("dock/#", 1)
    first.leave(abruptly=True)
    until(lambda: bool(field.evidence.of("mqtt", "close")))
    gateway = Gateway(field, "gw")
    gateway.connect()
    for n in range(3):
        gateway.publish("dock/1/door", str(n))
    gateway.leave(abruptly=False)
    again = portal()
    again.connect(**how)
    again.leave(abruptly=False)
    outcome = judge("mqtt.session", topic="dock/+/door", client="portal", at_least=3)
    assert (outcome.state is State.PASSED) is kept


@pytest.mark.parametrize("tidy", [True, False])
def test_ends_as_the_server_writes_them(field: Field, judge: Callable[..., Outcome], tidy: bool) -> None:
    """A client that deletes its subscription and closes its session, and one that only closes."""

    async def work() -> None:
        async with OpcuaClient(field.urls["opcua"]) as client:
            subscription = await client.create_subscription(500, Quiet())
            await subscription.subscribe_data_change(client.get_node("i=2258"))
            if tidy:
                await subscription.delete()

    asyncio.run(work())
    assert judge("opcua.closed").state is State.PASSED
    assert (judge("opcua.closed", subscriptions=True).state is State.PASSED) is tidy
    assert judge("opcua.no-session", server="labsim").state is State.FAILED
    assert judge("opcua.no-session", server="impostor").state is State.PASSED


def test_a_subscription_to_events_as_a_client_makes_it(field: Field, judge: Callable[..., Outcome]) -> None:
    """The fields and the severity of an EventFilter that asyncua builds, on the events of one machine."""

    async def work() -> None:
        async with OpcuaClient(field.urls["opcua"]) as client:
            index = await client.get_namespace_index("urn:labsim:cnc-mill")
            mill = client.get_node(f"ns={index};s=mill1")
            subscription = await client.create_subscription(500, Quiet())
            filter_ = ua.EventFilter()
            for name in ("Severity", "Message"):
                filter_.SelectClauses.append(field_of(name))
            above = ua.ContentFilterElement()
            above.FilterOperator = ua.FilterOperator.GreaterThanOrEqual
            above.FilterOperands = [field_of("Severity"), ua.LiteralOperand(ua.Variant(500, ua.VariantType.UInt16))]
            filter_.WhereClause.Elements.append(above)
            await subscription.subscribe_events(mill, evfilter=filter_)

    asyncio.run(work())
    asked = {"fields": ["Severity", "Message"], "severity": 500}
    assert judge("opcua.listened", device="mill1", **asked).state is State.PASSED
    assert judge("opcua.listened", **asked | {"severity": 600}).state is State.FAILED
    assert judge("opcua.listened", device="meter1").state is State.FAILED


def field_of(name: str) -> ua.SimpleAttributeOperand:
    """A field of any event."""
    return ua.SimpleAttributeOperand(ua.NodeId(2041), [ua.QualifiedName(name, 0)], ua.AttributeIds.Value)


class Quiet:
    """Hears and says nothing."""

    def datachange_notification(self, *_: Any) -> None:
        """Nothing."""


SCENARIO = """
labsim: 1
id: broken
title: Broken
level: junior
minutes: 10
plant: {meter1: {type: power-meter}, meter2: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1, 12: meter2}}}, {mqtt: {}}]
timeline:
  - {at: 1 s, device: meter1, tag: voltage_l1, fault: offset, by: 20, for: 4 s, hidden: true}
  - {at: 2 s, device: meter2, fault: dead, for: 2 s, hidden: true}
tasks:
  - id: a
    title: A
    marks: 6
    checks:
      - fault.reported: {file: report.json, marks: 3}
      - quality.labelled:
          points: {v1: meter1.voltage_l1, v2: meter2.voltage_l1}
          grace: 500 ms
          precision: 60 %
          recall: 60 %
          marks: 2
      - mqtt.points:
          points: {v1: meter1.voltage_l1}
          value: value
          real: true
          tolerance: 1
          for: 3 s
          coverage: 60 %
          when: {from: 1 s, to: 5 s}
          marks: 1
"""


async def test_faults_as_the_host_injects_and_records_them(tmp_path: Path) -> None:
    """Reported rightly; labelled rightly; and a gateway that takes the offset off is true to what was physically so."""
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    options = Options(seed="7", attempt=tmp_path / "attempt", speed=5.0, port_base=0)
    async with Lab(folder, options) as lab:
        url = next(address["url"] for address in lab.addresses() if address["url"].startswith("mqtt:"))
        report = [{"device": "meter1.voltage_l1", "kind": "offset"}, {"device": "meter2", "kind": "dead"}]
        (options.attempt / "handin" / "report.json").write_text(json.dumps(report), encoding="utf-8")
        store = lab.plant.store
        one, two = store["meter1.voltage_l1"].row, store["meter2.voltage_l1"].row

        def publish() -> None:
            import paho.mqtt.client as mqtt

            client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "gw")
            client.connect("127.0.0.1", int(url.rpartition(":")[2]))
            client.loop_start()
            last = -1
            while lab.clock.step < 80:
                if lab.clock.step // 2 == last:
                    threading.Event().wait(0.005)  # the plant has no event for it
                    continue
                last = lab.clock.step // 2
                broken = any(fault.device == "meter1" for fault in lab.plant.faults)
                shown = float(store.read(one)) - (20 if broken else 0)
                client.publish("v1", json.dumps({"value": shown, "quality": "bad" if broken else "good"}))
                client.publish("v2", json.dumps({"quality": "bad" if store.status[two] >> 30 else "good"}))
            client.disconnect()
            client.loop_stop()

        await asyncio.to_thread(publish)
        verdict = await lab.close("test")
    outcomes = {check["check"]: check for check in verdict["tasks"][0]["checks"]}
    assert {name: check["outcome"] for name, check in outcomes.items()} == dict.fromkeys(outcomes, "passed"), outcomes
    assert "meter1.voltage_l1.true" in Evidence.load(options.attempt).tags
