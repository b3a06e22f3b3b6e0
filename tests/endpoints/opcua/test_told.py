"""Methods, events, alarms and history of a real mill with asyncua's client over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from asyncua import Client, ua

import devices
from devices.cnc_mill import CncMill
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.evidence.event import Event
from labsim.evidence.history import Series
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

MILL = "ns=2;s=mill1"
UTC_NS = 1_700_000_000_000_000_000


class Heard:
    """What a subscription got."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    def event_notification(self, event: Any) -> None:
        """Keep it."""
        self.events.put_nowait(event)

    async def next(self, name: str) -> Any:
        """The next event whose message begins so."""
        while True:
            event = await asyncio.wait_for(self.events.get(), 10)
            if str(event.Message.Text).startswith(name):
                return event


@pytest.fixture
def mill() -> Plant:
    """A mill that stands at its start."""
    plant = Plant(7, SimClock(utc_ns=UTC_NS))
    plant.add("mill1", devices.load("cnc-mill"))
    plant.start()
    return plant


@pytest.fixture
async def client(mill: Plant, recorded: Any, events: list[Event]) -> AsyncIterator[Client]:
    """Asyncua's client of the mill."""
    steps = np.arange(100)
    recorded.series["mill1.spindle_load"] = Series(steps * 10**9, steps * 1.0, np.zeros(100, np.uint32))
    mill.clock.step = 1000
    async with (
        OpcuaEndpoint(mill, ["mill1"], events.append, anonymous="Operator", history=recorded) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as connected,
    ):
        yield connected


async def test_a_job_is_started(client: Client, mill: Plant, events: list[Event]) -> None:
    """The method selects program and target; a job that cannot be is refused by the device."""
    job, start = (client.get_node(f"{MILL}/Production/ProductionPlan/Job1{end}") for end in ("", "/Start"))
    started = await job.call_method(start, "FLANGE-20", ua.Variant(5, ua.VariantType.UInt32))
    assert started == "JOB-0002"
    device = mill.devices["mill1"]
    assert (device["part_target"], device["program_name"], device.settings["program"]) == (5, "FLANGE-20", "FLANGE-20")
    with pytest.raises(ua.uaerrors.BadInvalidArgument):
        await job.call_method(start, "NOTHING", ua.Variant(5, ua.VariantType.UInt32))
    device["program_state"] = 1
    with pytest.raises(ua.uaerrors.BadInvalidState):
        await job.call_method(start, "FLANGE-20", ua.Variant(5, ua.VariantType.UInt32))
    assert [event.status for event in events if event.kind == "call"] == [0, 0x80AB0000, 0x80AF0000]


async def test_a_worn_tool_is_heard_and_replaced(client: Client, mill: Plant) -> None:
    """An alarm arrives with its fields, is acknowledged by asyncua's own way, and ends with the new tool."""
    heard = Heard()
    subscription = await client.create_subscription(50, heard)
    await subscription.subscribe_alarms_and_conditions(client.nodes.server)
    device = mill.devices["mill1"]
    assert isinstance(device, CncMill)
    device._magazine[2].used = device._worn[2] = 0.95
    device["tool2_wear"] = 95.0
    mill.alarms.evaluate()
    event = await heard.next("Tool 2 worn")
    assert (event.SourceName, event.ConditionName, event.Severity, event.Retain) == (
        "mill1.tool2_wear", "Tool2Life", 500, True,
    )  # fmt: skip
    condition = client.get_node(f"{MILL}/Alarms/Tool2Life")
    comment = ua.Variant(ua.LocalizedText("seen", "en"))
    await condition.call_method(client.get_node("i=9111"), ua.Variant(event.EventId), comment)
    assert mill.alarms["mill1.tool2_life"].state.acknowledged
    tools, replace = (client.get_node(f"{MILL}/Equipment/Tools{end}") for end in ("", "/ReplaceTool"))
    await tools.call_method(replace, ua.Variant(2, ua.VariantType.Byte))
    mill.advance()
    await heard.next("Tool 2 worn: back to normal")
    assert (await client.nodes.server.get_referenced_nodes(refs=48))[0].nodeid.Identifier == "mill1"


async def test_a_program_finishes(client: Client, mill: Plant) -> None:
    """Asyncua makes a class of the event's type, and the fields come typed."""
    heard = Heard()
    subscription = await client.create_subscription(50, heard)
    await subscription.subscribe_events(client.nodes.server, client.get_node("ns=2;s=ProgramFinishedEventType"))
    mill.devices["mill1"].emit("ProgramFinished", Program="BRACKET-10", Job="JOB-0001", Good=True, CycleTime=61.5)
    event = await heard.next("BRACKET-10 finished")
    assert (event.Program, event.Job, event.Good, event.CycleTime) == ("BRACKET-10", "JOB-0001", True, 61.5)


async def test_history_is_read(client: Client, mill: Plant) -> None:
    """Raw history as asyncua reads it, page by page, and the events of the past."""
    origin = datetime.fromtimestamp(UTC_NS / 1e9, UTC)
    load = client.get_node(f"{MILL}.spindle_load")
    found = await load.read_raw_history(origin + timedelta(seconds=10), origin + timedelta(seconds=20))
    assert [value.Value.Value for value in found] == [float(n) for n in range(10, 21)]  # it asks for bounds
    assert await load.read_attribute(ua.AttributeIds.Historizing)
    mill.devices["mill1"].emit("ProgramFinished", Program="PLATE-30", Job="JOB-0001", Good=False, CycleTime=1.0)
    past = await client.nodes.server.read_event_history(origin, origin + timedelta(days=1), 10)
    assert past[0].Message.Text == "PLATE-30 finished"
