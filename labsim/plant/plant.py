"""The plant: devices over one tag store and one clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.alarms import Alarms
from labsim.plant.clock import STEP_NS, SimClock
from labsim.plant.device import Device
from labsim.plant.events import EventLog
from labsim.plant.faults import Faults
from labsim.plant.flow import Flow, Lane, Signals, Supply
from labsim.plant.interface import Interface
from labsim.plant.port_spec import Carries
from labsim.plant.sensor import SensorSpec
from labsim.plant.tags import TagStore
from labsim.plant.veil import Veil


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A device type as the plant needs it: its interface and the class that behaves."""

    interface: Interface
    behaviour: type[Device]


@dataclass(frozen=True, slots=True)
class Joined:
    """An outlet and an inlet (``device.port``) with what flows from the one to the other."""

    source: str
    target: str
    carries: Carries
    flow: Flow


class Agenda(simpy.Environment):  # type: ignore[misc]  # simpy has no types
    """SimPy's environment, which goes on by ten steps a second at less cost."""

    def go_to(self, seconds: float) -> None:
        """As ``run(until=seconds)``, without an event to stop at: what is due before then happens, and it is then."""
        while self.peek() < seconds:
            self.step()
        self._now = seconds


class Plant:
    """All devices of one lab.

    Args:
        seed: Drives every random number of the plant.
        clock: Plant time.
        crew: How many operators there are; None for one wherever one is needed.

    Attributes:
        store: Every value, once.
        events: What devices and alarms tell.
        alarms: Alarms of all devices, evaluated after each step.
        devices: By path, in the order they were added.
        joined: Every flow between devices, in the order of joining.
        faults: What is wrong with it.
        crew: The operators, a SimPy resource: ``with self.crew.request() as operator: yield operator`` has one.
    """

    def __init__(self, seed: int, clock: SimClock, *, crew: int | None = None) -> None:
        self.seed, self.clock = seed, clock
        self.store = TagStore()
        self.env = Agenda()
        self.crew = simpy.Resource(self.env, crew if crew is not None else math.inf)
        self.events = EventLog()
        self.alarms = Alarms(self.store, self.events)
        self.devices: dict[str, Device] = {}
        self.joined: list[Joined] = []
        self._veil = Veil(self.store)
        self.faults = Faults(seed, self.store, self._veil, self.devices, self.alarms)
        self._sensors: dict[str, SensorSpec] = {}
        self._started = False

    def add(
        self,
        path: str,
        kind: DeviceType,
        settings: dict[str, Any] | None = None,
        sensors: Mapping[str, SensorSpec] | None = None,
    ) -> Device:
        """Build a device into the plant, before `start`; ``sensors`` are in place of the interface's own.

        Raises:
            InputError: the path is taken, or a setting does not take its value.
            UnknownNameError: a setting the type does not have.
        """
        if path in self.devices:
            raise InputError(f"the plant already has a device {path!r}; give each its own path.")
        assert not self._started, "a plant that runs takes no more devices"
        device = kind.behaviour(path, kind.interface, self.store, self.env, self.seed, settings, self.events)
        device.crew = self.crew
        self.devices[path] = device
        self.alarms.add(path, kind.interface.alarms)
        chains = {**kind.interface.sensors, **(sensors or {})}
        self._sensors |= {f"{path}.{tag}": chain for tag, chain in chains.items()}
        return device

    def connect(self, source: str, target: str, *, buffer: float = 1) -> Flow:
        """Join an outlet to an inlet, each written ``device.port``, before `start`.

        Args:
            source: The outlet.
            target: The inlet.
            buffer: Parts that stand between the two at most; only where parts flow.

        Raises:
            UnknownNameError: no such device or port.
            InputError: the two do not fit, or a lane of parts would have two ends.
        """
        assert not self._started, "a plant that runs is not rebuilt"
        (giver, outlet), (taker, inlet) = self._port(source, "out"), self._port(target, "in")
        carries = giver.interface.ports[outlet].carries
        if taker.interface.ports[inlet].carries != carries:
            raise InputError(f"{source} carries {carries} and {target} does not: join ports that carry the same.")
        flow: Flow
        match carries:
            case "parts":
                flow = Lane(self.env, buffer)
            case "signals":
                flow = Signals(self.env)
            case _:
                flow = Supply()
        for taken, path in ((carries == "parts" and giver.flows[outlet], source), (taker.flows[inlet], target)):
            if taken:
                raise InputError(f"{path} is joined already: a lane has two ends, and an inlet one supply.")
        giver.flows[outlet].append(flow)
        taker.flows[inlet].append(flow)
        self.joined.append(Joined(source, target, carries, flow))
        return flow

    def _port(self, path: str, way: str) -> tuple[Device, str]:
        name, _, port = path.partition(".")
        if name not in self.devices:
            raise UnknownNameError("device", name, self.devices)
        device = self.devices[name]
        known = [port for port, spec in device.interface.ports.items() if spec.way == way]
        if port not in known:
            raise UnknownNameError(f"{way}let of {device.interface.type}", port, known)
        return device, port

    def veil(self, paths: Iterable[str]) -> None:
        """Keep the true values of some tags beside what is shown of them, before `start`, so that they are recorded."""
        assert not self._started, "a plant that runs is not rebuilt"
        self._veil.columns(sorted(paths, key=lambda path: self.store[path].row))

    def start(self) -> None:
        """First values and processes; the plant stands at step 0."""
        self._started = True
        self._veil.columns(self._sensors)
        for device in self.devices.values():
            device.start()
            process = device.run()
            if process is not None:
                self.env.process(process)
        self._veil.sense(self._sensors, self.seed)
        self.faults.apply()

    def advance(self) -> None:
        """One step: what happens in order, then what flows, then time moves on."""
        end_ns = (self.clock.step + 1) * STEP_NS
        self.store.now_ns = end_ns
        self.env.go_to(end_ns / 1e9)
        for device in self.devices.values():
            device.step(STEP_NS / 1e9)
        self.faults.apply()
        self.alarms.evaluate()
        self.clock.tick()

    def freeze(self) -> None:
        """Time stands still, values can be read, and what would change them from outside is refused."""
        self.clock.pause()
        self.store.refusing = status.BAD_INVALID_STATE

    def thaw(self) -> None:
        """Go on from where it was frozen."""
        self.store.refusing = status.GOOD
        self.clock.resume()

    def stride(self, steps: int) -> None:
        """Many steps as one, for studies of a line over months.

        What happens in order (parts, breakdowns, changes of state) happens when it should; what flows takes one long step, and
        alarms and values are seen at its end only. Right for machines that are driven by their processes, such as those after
        PackML; a machine whose motion is in `Device.step`, such as a mill, needs `advance`.
        """
        end_ns = (self.clock.step + steps) * STEP_NS
        self.store.now_ns = end_ns
        self.env.go_to(end_ns / 1e9)
        for device in self.devices.values():
            device.step(steps * STEP_NS / 1e9)
        self.faults.apply()
        self.alarms.evaluate()
        self.clock.step += steps - 1
        self.clock.tick()
