"""Lanes of parts, supplies and signals between devices, and how a plant joins them."""

from __future__ import annotations

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import InputError, UnknownNameError
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.flow import Lane, Part, Signals, Supply, TimeClass
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant

STATION = Interface.model_validate(
    {
        "type": "station",
        "title": "S",
        "about": "S",
        "identification": {"manufacturer": "M", "model": "X", "revision": "1", "serial": "{number}"},
        "tags": {"on": {"type": "bool", "title": "On"}},
        "ports": {
            "parts_in": {"carries": "parts", "way": "in", "title": "In"},
            "parts_out": {"carries": "parts", "way": "out", "title": "Out"},
            "power": {"carries": "power", "way": "in", "title": "Power"},
            "load_out": {"carries": "power", "way": "out", "title": "Load"},
            "signals": {"carries": "signals", "way": "out", "title": "Signals"},
            "unit": {"carries": "signals", "way": "in", "title": "Unit"},
        },
    }
)


@pytest.fixture
def plant():
    """Three stations, not joined."""
    plant = Plant(1, SimClock(utc_ns=0), crew=2)
    for path in ("a", "b", "c"):
        plant.add(path, DeviceType(STATION, Device))
    return plant


@given(st.lists(st.sampled_from(["put", "get"]), max_size=60), st.integers(1, 5))
def test_a_lane_keeps_order_and_loses_nothing(acts, capacity):
    """First in, first out; never more than its capacity; put = got + inside + waiting, whatever comes when."""
    lane = Lane(simpy.Environment(), capacity)
    puts, gets = [], []
    for number, act in enumerate(acts):
        if act == "put":
            puts.append((lane.put(Part(str(number))), str(number)))
        else:
            gets.append(lane.get())
        assert len(lane) <= capacity
    got = [event.value.identity for event in gets if event.triggered]
    assert got == [name for _, name in puts][: len(got)]
    entered = [name for event, name in puts if event.triggered]
    assert entered == got + [part.identity for part in lane.parts]
    assert lane.passed == len(got)


def test_who_gives_up_waiting_gets_nothing(plant):
    """A cancelled taker leaves the part to the next; a cancelled giver keeps it."""
    lane = Lane(plant.env, 1)
    first, second = lane.get(), lane.get()
    lane.cancel(first)
    lane.put(Part("p"))
    assert not first.triggered
    assert second.value.identity == "p"
    lane.put(Part("q"))
    waiting = lane.put(Part("r"))
    lane.cancel(waiting)
    assert (lane.get().value.identity, lane.empty) == ("q", True)


def test_open_ends_bring_and_take_for_ever(plant):
    """A station that nothing is joined to works alone: parts named after it come, all leave, power is there."""
    station = plant.devices["a"]
    inlet, outlet = station.lane("parts_in"), station.lane("parts_out")
    assert [inlet.get().value.identity for _ in range(2)] == ["a-00001", "a-00002"]
    assert all(outlet.put(Part("p")).triggered for _ in range(100))
    assert (outlet.passed, outlet.full, inlet.empty) == (100, False, False)
    assert station.lane("parts_in") is inlet
    assert [supply.level for supply in station.supplies("power")] == [1.0]
    assert station.supplies("load_out") == []
    assert station.signals("signals") == []
    assert station.signals("unit")[0].doing is TimeClass.IDLE


def test_joined_ends_share_one_flow(plant):
    """What one device puts in, the other takes out; an outlet of power may feed several."""
    lane = plant.connect("a.parts_out", "b.parts_in", buffer=3)
    assert isinstance(lane, Lane)
    assert plant.devices["a"].lane("parts_out") is plant.devices["b"].lane("parts_in") is lane
    assert lane.capacity == 3
    feeds = [plant.connect("a.load_out", f"{path}.power") for path in ("b", "c")]
    assert plant.devices["a"].supplies("load_out") == feeds
    assert all(isinstance(feed, Supply) for feed in feeds)
    told = plant.connect("b.signals", "c.unit")
    assert plant.devices["b"].signals("signals") == plant.devices["c"].signals("unit") == [told]
    assert [(one.source, one.target, one.carries) for one in plant.joined] == [
        ("a.parts_out", "b.parts_in", "parts"),
        ("a.load_out", "b.power", "power"),
        ("a.load_out", "c.power", "power"),
        ("b.signals", "c.unit", "signals"),
    ]


@pytest.mark.parametrize(
    ("source", "target", "error", "sentence"),
    [
        ("x.parts_out", "b.parts_in", UnknownNameError, "no device 'x'"),
        ("a.part_out", "b.parts_in", UnknownNameError, "Did you mean 'parts_out'"),
        ("a.parts_in", "b.parts_in", UnknownNameError, "no outlet of station 'parts_in'"),
        ("a.parts_out", "b.power", InputError, "carries parts"),
        ("a.parts_out", "c.parts_in", InputError, "joined already"),
        ("c.parts_out", "b.parts_in", InputError, "joined already"),
    ],
)
def test_ends_that_do_not_fit_are_refused(plant, source, target, error, sentence):
    """Unknown names, other goods and a second end are told by name."""
    plant.connect("a.parts_out", "b.parts_in")
    with pytest.raises(error, match=sentence):
        plant.connect(source, target)


def test_signals_give_every_second_to_one_class():
    """Seconds add up to the time that passed, also inside a class."""
    env = simpy.Environment()
    signals = Signals(env)
    for doing, until in ((TimeClass.PRODUCING, 5), (TimeClass.PRODUCING, 8), (TimeClass.DOWN, 20.5)):
        signals.enter(doing)
        env.run(until=until)
    assert signals.seconds()[TimeClass.PRODUCING] == 8
    assert signals.seconds()[TimeClass.DOWN] == 12.5
    assert sum(signals.seconds()) == 20.5


def test_a_crew_is_shared(plant):
    """All devices have the plant's operators, as many as there are."""
    crew = plant.devices["a"].crew
    assert crew is plant.devices["c"].crew is plant.crew
    held = [crew.request() for _ in range(3)]
    plant.env.run(until=0.01)
    assert [one.triggered for one in held] == [True, True, False]
    free = Plant(1, SimClock(utc_ns=0)).crew
    assert all(free.request().triggered for _ in range(50))
