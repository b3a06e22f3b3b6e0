"""Rogue clients as a layer in which faults happen: ``rogue.modbus`` is a foreign client at the endpoint ``modbus``."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from grader.checks.probe import DONE, ERROR
from labsim.endpoints.endpoint import Endpoint
from labsim.errors import EvidenceError, InputError, UnknownNameError
from labsim.evidence.event import Record
from labsim.lab.note import Note
from labsim.lab.probes import Relay, failed
from labsim.lab.rogue.station import Acts, Station, address_of, server_of, tag_of
from labsim.lab.rogue.table import DEVICE, INTO, ROGUE_FAULTS, VICTIM, parse_attack
from labsim.plant.clock import SimClock
from labsim.plant.fault_spec import FaultSpec
from labsim.plant.plant import Plant
from labsim.probe.error import ProbeError
from labsim.scenario.modbus import ModbusSpec
from labsim.scenario.model import Scenario
from labsim.scenario.mqtt import MqttSpec
from labsim.scenario.opcua import OpcuaSpec

PREFIX = "rogue."
_AGAIN_NS = 1_000_000_000
"""Plant time after which a client that was refused comes again, when it comes again at all, at the earliest."""
_SPARKPLUG = ("twin-edge-node", "late-ndeath")
_NAMES = {"modbus": "", "opcua": "eng-laptop", "mqtt": "mqtt-explorer"}
"""What it calls itself; a Modbus client has no name."""


@dataclass(frozen=True, slots=True)
class _Attack:
    """One attack: its number, where, what, and with what."""

    number: int
    target: str
    name: str
    parameters: dict[str, float | str]


class Rogues:
    """The rogue clients of one lab.

    Args:
        plant: The plant whose tags they know.
        scenario: What the lab's endpoints are.
        endpoints: The lab's endpoints, in the order of the scenario.
        names: Number of the endpoint by each name of it, as links have them.
        clock: Plant time.
        seed: What chance draws from, with the number of the attack.
        certificates: Folder of the lab's certificates; their own identity lies beside them.
        note: Keeps the events.
        earlier: The journal before the host was started again: an attack that has acted by then does not act once more.
    """

    prefix = PREFIX

    def __init__(
        self, plant: Plant, scenario: Scenario, endpoints: Sequence[Endpoint], names: Mapping[str, int], *,
        clock: SimClock, seed: str, certificates: Path, note: Note, earlier: Iterable[Record] = (),
    ) -> None:  # fmt: skip
        self._plant, self._scenario, self._endpoints, self._names = plant, scenario, endpoints, names
        self._clock, self._seed, self._certificates = clock, seed, certificates / "rogue"
        self._note = note
        self._acted = {int(one.detail["number"]) for one in earlier if one.kind == "rogue" and "result" in one.detail}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    # ---- as a layer ----

    @property
    def targets(self) -> list[str]:
        """One for every name of every endpoint that a rogue client can come to."""
        return [PREFIX + name for name, number in self._names.items() if self._can_come(number)]

    def _can_come(self, number: int) -> bool:
        endpoint = self._endpoints[number]
        if endpoint.protocol not in ROGUE_FAULTS:
            return False
        return urlsplit(address_of(endpoint)).scheme != "modbus-rtu"  # a serial line has one master

    def _place(self, target: str) -> int:
        return self._names[target.removeprefix(PREFIX)]

    def place(self, target: str) -> str:
        """The same for every name of one endpoint."""
        return str(self._place(target))

    def faults(self, target: str) -> Mapping[str, FaultSpec]:
        """What may happen at an endpoint as it is set up."""
        spec = self._scenario.endpoints[self._place(target)].spec
        known = ROGUE_FAULTS[self._endpoints[self._place(target)].protocol]
        is_node = isinstance(spec, MqttSpec) and spec.sparkplug is not None
        return {name: one for name, one in known.items() if is_node or name not in _SPARKPLUG}

    def parse(self, target: str, fault: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """See `Layer`."""
        known = self.faults(target)
        if fault not in known:
            raise UnknownNameError(f"fault of {target}", fault, known)
        found = parse_attack(self._endpoints[self._place(target)].protocol, fault, given)
        station = self._station(_Attack(0, target, fault, found), 0)
        for name in (VICTIM, INTO):
            if name in found:
                self._reach(station, tag_of(self._plant, str(found[name])).path)
        if DEVICE in found and found[DEVICE] not in self._plant.devices:
            raise UnknownNameError("device", str(found[DEVICE]), self._plant.devices)
        if fault == "old-state":
            from labsim.lab.rogue.mqtt import host_of

            host_of(station)
        return dict(found)

    def _reach(self, station: Station, path: str) -> None:
        """Whether the endpoint shows a tag.

        Raises:
            InputError: it does not.
        """
        module = _protocol(station.endpoint.protocol)
        find = {"modbus": "place_of", "opcua": "node_of", "mqtt": "command_topic"}[station.endpoint.protocol]
        getattr(module, find)(station, tag_of(self._plant, path))

    def tags(self, _target: str, _fault: str, _parameters: Mapping[str, Any]) -> Sequence[str]:
        """None: what it writes is true from then on."""
        return ()

    def begin(self, number: int, target: str, fault: str, parameters: Mapping[str, Any]) -> None:
        """Let a client come; it acts from the next step on, when every endpoint listens."""
        if number in self._acted and not float(parameters.get("every", 0.0)):
            return  # it was to act once, and has
        attack = _Attack(number, target, fault, dict(parameters))
        task = self._running[number] = asyncio.get_running_loop().create_task(self._run(attack), name=target)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, number: int) -> None:
        """Let it go; what it has sent by then may still arrive."""
        if number in self._running:
            self._running.pop(number).cancel()

    # ---- in the lab ----

    def tick(self, now_ns: int) -> None:
        """Wake those whose turn has come."""
        due = [one for one in self._waiting if one[0] <= now_ns]
        if due:
            self._waiting = [one for one in self._waiting if one[0] > now_ns]
            for _, future in due:
                if not future.done():
                    future.set_result(None)

    async def close(self) -> None:
        """Let all of them go, and wait until they have gone; what escaped from one is raised."""
        tasks = list(self._tasks)
        self._running.clear()
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    # ---- one attack ----

    def _station(self, attack: _Attack, port: int) -> Station:
        place = self._place(attack.target)
        spec = self._scenario.endpoints[place].spec
        assert isinstance(spec, ModbusSpec | OpcuaSpec | MqttSpec), "others have no table"
        return Station(
            self._plant, self._scenario, spec, self._endpoints[place], self._certificates,
            attack.parameters, self._chance(attack), self._name(attack), port,
            lambda: self._clock.utc_ns(self._clock.now_ns()) // 1_000_000,
        )  # fmt: skip

    def _chance(self, attack: _Attack) -> random.Random:
        return random.Random(f"{self._seed} rogue {attack.number}")  # noqa: S311 - a lab's chance, drawn from its seed

    def _name(self, attack: _Attack) -> str:
        """What it calls itself; "" where the protocol has no name."""
        kind = _NAMES[self._endpoints[self._place(attack.target)].protocol]
        drawn = f"{kind}-{self._chance(attack).randrange(16**6):06x}" if kind else ""
        return str(attack.parameters.get("client_id", drawn))

    async def _until(self, t_ns: int) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((t_ns, future))
        await future

    async def _run(self, attack: _Attack) -> None:
        """Come, act, wait, until told to go."""
        await self._until(0)
        host, port = server_of(self._endpoints[self._place(attack.target)])
        source = "" if ":" in host else source_of(int(float(attack.parameters["host"])))
        every_ns = round(float(attack.parameters.get("every", 0.0)) * 1e9)
        relay = Relay((host, port), source, told=lambda client, opens: self._tell_connection(attack, client, opens))
        async with relay:
            station = self._station(attack, relay.port)
            turns = _Turns(station, attack.name, lambda result: self._tell(attack, phase="act", **result))
            try:
                while await turns.take() and every_ns:
                    pause_ns = every_ns if turns.connected else max(every_ns, _AGAIN_NS)
                    await self._until(self._clock.step_time_ns + pause_ns)
            except EvidenceError:
                return  # the lab stops
            finally:
                await turns.leave()

    def _tell_connection(self, attack: _Attack, client: str, opens: bool) -> None:
        """Before the first byte, so that whose connection it is stands before anything it does."""
        name = self._name(attack)
        self._tell(attack, phase="open" if opens else "close", client=client, **({"name": name} if name else {}))

    def _tell(self, attack: _Attack, **facts: Any) -> None:
        detail = {"fault": PREFIX + attack.name, "number": attack.number, **facts}
        self._note("rogue", subject=attack.target, detail=detail)


class _Turns:
    """The acts of one attack, each in a thread, and what came of them.

    Args:
        station: With what it works.
        attack: What it does.
        tell: Is given a result that is another than the last.
    """

    def __init__(self, station: Station, attack: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._station, self._attack, self._tell = station, attack, tell
        self._acts: Acts | None = None
        self._turn: asyncio.Future[str] | None = None
        self._last: dict[str, Any] = {}

    @property
    def connected(self) -> bool:
        """Whether the last act went well, so that its connection is still there."""
        return self._acts is not None

    async def take(self) -> bool:
        """Act once; whether there is more to do."""
        if self._acts is None:
            self._acts = _protocol(self._station.endpoint.protocol).acts_of(self._station, self._attack)
        self._turn = asyncio.ensure_future(asyncio.to_thread(next, self._acts, ""))
        return await self._settle()

    async def _settle(self) -> bool:
        """Wait for the act that is under way, and tell what came of it."""
        assert self._turn is not None, "it was begun"
        result = await _result_of(self._turn, str(self._station.target()))
        self._turn = None
        if result["result"] != DONE:
            self._acts = None  # its connection is lost; it may come again
        elif not result["did"]:
            return False  # there was nothing more to do
        if result != self._last:
            self._last = result
            self._tell(result)
        return True

    async def leave(self) -> None:
        """Let an act that is under way come to its end, then say goodbye."""
        if self._turn is not None:
            await self._settle()
        if self._acts is not None:
            await asyncio.to_thread(self._acts.close)


async def _result_of(turn: asyncio.Future[str], where: str) -> dict[str, Any]:
    """What came of a turn."""
    try:
        return {"result": DONE, "did": await asyncio.shield(turn)}
    except ProbeError as error:
        found = failed(str(error), where)
        return {name: text for name in ("result", "code", "reason") if (text := getattr(found, name))}
    except (InputError, OSError, ValueError) as error:
        return {"result": ERROR, "reason": str(error)[:200]}


@cache
def source_of(host: int) -> str:
    """127.0.0.``host``, or 127.0.0.1 where the computer has no other loopback address, as on macOS."""
    address = f"127.0.0.{host}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "127.0.0.1"
    return address


def _protocol(name: str) -> Any:
    """The module of a protocol, which loads its client library."""
    return import_module(f"labsim.lab.rogue.{name}")
