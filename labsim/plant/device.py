"""The base of every device: its tags, settings, own random generator and place in time.

A device overrides what it needs: `start` for first values, `step` for what flows (called every 100 ms of plant time), `run`
for what happens in order (a SimPy process), `guard` to refuse a client's write, `take` to change an accepted one, `call` to do
a method, `configured` to react to a setting.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import simpy

from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.condition import Condition
from labsim.plant.events import EventLog, Occurrence
from labsim.plant.flow import Flow, Lane, Signals, Supply
from labsim.plant.generators import named_generator
from labsim.plant.interface import Interface
from labsim.plant.rest_spec import Asked
from labsim.plant.tags import Tag, TagStore, Value
from labsim.units import UNITS

Process = Generator[simpy.Event, Any, None]


def device_generator(seed: int, path: str) -> np.random.Generator:
    """The random generator of one device: from the seed and its path alone, so a new device changes no other's numbers."""
    return named_generator(f"{seed}/{path}")


class Device:
    """One piece of equipment.

    Values are read and written by tag name: ``self["speed"] = 8000``; they are the true ones, whatever a sensor or a fault
    makes of them. A device draws only from ``self.random`` and reads only plant time, so that a run repeats bit for bit.

    Attributes:
        path: Its name in the plant.
        interface: What its type shows to the world.
        settings: Current settings by name.
        env: The plant's SimPy environment; its time is in simulated seconds.
        faults: Faults of its interface that are in force, with their parameters.
        condition: How it answers; endpoints ask.
        crew: The operators of the plant; see `Plant`.
        flows: What each port is joined to, in the order of the plant; an open port has nothing here.
    """

    def __init__(
        self,
        path: str,
        interface: Interface,
        store: TagStore,
        env: simpy.Environment,
        seed: int,
        settings: dict[str, Any] | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.path, self.interface, self.store, self.env = path, interface, store, env
        self._events = events if events is not None else EventLog()
        self.random = device_generator(seed, path)
        self.serial = interface.identification.serial.format(
            number=int.from_bytes(hashlib.sha256(f"{seed}/{path}/serial".encode()).digest()[:4], "big") % 10**8
        )
        self.settings: dict[str, Value] = {name: spec.parse(spec.default) for name, spec in interface.settings.items()}
        self._watchers: list[Callable[[Device, str], None]] = []
        for name, value in (settings or {}).items():
            self.settings[name] = self._parse(name, value)
        self.tags: dict[str, Tag] = {}
        first = len(store)
        for row, (name, spec) in enumerate(interface.tags.items(), first):
            low, high = spec.range or (None, None)
            unit = UNITS[spec.unit] if spec.unit else None
            self.tags[name] = Tag(
                row, f"{path}.{name}", path, name, spec.type, unit, low, high, spec.access, spec.title, spec.labels
            )
        self._row = {name: tag.row for name, tag in self.tags.items()}
        store.add(list(self.tags.values()), [spec.first for spec in interface.tags.values()], self.guard, self.take)
        self.faults: dict[str, Mapping[str, float]] = {}
        self.condition = Condition()
        self.flows: dict[str, list[Flow]] = {name: [] for name in interface.ports}
        self.crew = simpy.Resource(env, math.inf)  # the plant puts its own here

    def __getitem__(self, name: str) -> Value:
        store, row = self.store, self._row[name]
        return store.read(store.true.get(row, row) if store.true else row)

    def __setitem__(self, name: str, value: Value) -> None:
        store, row = self.store, self._row[name]  # as `TagStore.set`, a call less where values are many
        store.show(store.true.get(row, row) if store.true else row, value)

    def mark(self, name: str, code: int) -> None:
        """Give a tag's present value another quality."""
        row = self.tags[name].row
        self.store.set(row, self.store.truth(row), code)

    def shown(self, name: str) -> Value:
        """A tag's value as its sensor gives it, for what acts on the measurement (a controller) and not on the truth."""
        return self.store.read(self.tags[name].row)

    def emit(self, event: str, **fields: Value) -> None:
        """Tell an event of the interface with its fields, at the present step."""
        assert self.interface.opcua is not None, f"{self.interface.type} has no events"
        spec, log = self.interface.opcua.events[event], self._events
        assert set(fields) == set(spec.fields), f"{event} has the fields {', '.join(spec.fields)}"
        message = spec.message.format(**fields)
        log.add(Occurrence(log.next_number(), self.store.now_ns, self.path, event, message, spec.severity, fields))

    @property
    def now_s(self) -> float:
        """Plant time in seconds."""
        return float(self.env.now)

    def wait(self, seconds: float) -> simpy.Event:
        """An event that happens ``seconds`` of plant time from now; a process yields it."""
        return self.env.timeout(seconds)

    def configure(self, name: str, value: Any) -> Value:
        """Change a setting as a person at the device would; tells `configured` and every watcher.

        Raises:
            UnknownNameError: no such setting.
            InputError: a value the setting does not take.
        """
        self.settings[name] = parsed = self._parse(name, value)
        self.configured(name)
        for watcher in self._watchers:
            watcher(self, name)
        return parsed

    def watch(self, watcher: Callable[[Device, str], None]) -> None:
        """Call ``watcher(device, setting)`` after each change of a setting, and with "" of the map's condition.

        An endpoint rebuilds its map then.
        """
        self._watchers.append(watcher)

    def changed(self) -> None:
        """Tell every watcher that the condition has changed."""
        for watcher in self._watchers:
            watcher(self, "")

    def _parse(self, name: str, value: Any) -> Value:
        if name not in self.interface.settings:
            raise UnknownNameError(f"setting of {self.interface.type}", name, self.interface.settings)
        try:
            return self.interface.settings[name].parse(value)
        except ValueError as error:
            raise InputError(f"{self.path}.{name}: {error}.") from None

    def lane(self, port: str) -> Lane:
        """The one lane of a port; an open end where nothing is joined to it."""
        if not self.flows[port]:
            inwards = self.interface.ports[port].way == "in"
            self.flows[port].append(Lane(self.env, endless=self.path if inwards else "", sink=not inwards))
        (lane,) = self.flows[port]
        assert isinstance(lane, Lane), f"{self.path}.{port} carries no parts"
        return lane

    def supplies(self, port: str) -> list[Supply]:
        """The supplies of a port; an open inlet has one, fully supplied, an open outlet none."""
        if not self.flows[port] and self.interface.ports[port].way == "in":
            self.flows[port].append(Supply())
        return [flow for flow in self.flows[port] if isinstance(flow, Supply)]

    def signals(self, port: str) -> list[Signals]:
        """The signals of a port; an open inlet has some that nobody gives, an open outlet none."""
        if not self.flows[port] and self.interface.ports[port].way == "in":
            self.flows[port].append(Signals(self.env))
        return [flow for flow in self.flows[port] if isinstance(flow, Signals)]

    def begin_fault(self, name: str, parameters: Mapping[str, float]) -> None:
        """Begin a fault of the interface, or change one in force; the parameters are complete."""
        self.faults[name] = dict(parameters)
        self.faulted(name)

    def end_fault(self, name: str) -> None:
        """End a fault; nothing when it is not in force."""
        if self.faults.pop(name, None) is not None:
            self.faulted(name)

    # What a device type overrides; each does nothing by default.

    def start(self) -> None:
        """Set the first values, before step 1."""

    def step(self, dt: float) -> None:
        """Advance continuous behaviour by ``dt`` seconds of plant time; clients' writes of the last step are in the store."""

    def run(self) -> Process | None:
        """The SimPy process of the device, if it has one."""
        return None

    def guard(self, tag: Tag, value: Value) -> int:  # noqa: ARG002 - a device that refuses nothing needs neither
        """A status code for a client's write that is right by access, type and range."""
        return status.GOOD

    def take(self, tag: Tag, value: Value) -> Value:  # noqa: ARG002 - a device that takes what it is given needs no tag
        """What a client's write that was accepted leaves in the tag, such as a value clamped to a limit."""
        return value

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:  # noqa: ARG002 - none by default
        """Do a method of the interface, whose arguments are right by type: a status code and the outputs."""
        return status.BAD_NOT_IMPLEMENTED, ()

    def ask(self, name: str, asked: Asked) -> tuple[int, Any]:  # noqa: ARG002 - none by default
        """Answer a request of the interface's ``rest`` routes: an HTTP status code and JSON.

        A GET changes nothing. Any other route that is answered below 400 is an input of the plant and is done again by a replay.
        """
        return 501, {"error": f"{self.path} does not answer {name}."}

    def configured(self, name: str) -> None:
        """React to a changed setting."""

    def faulted(self, name: str) -> None:
        """React to a fault of the interface that began, changed or ended; ``name in self.faults`` says which."""
