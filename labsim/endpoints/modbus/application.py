"""The core of a Modbus server: a request PDU for a unit in, a response PDU out, evidence in between. It knows no transport."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from labsim.endpoints.modbus.diagnostics import Line
from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.endpoints.modbus.request import Access, Request, parse
from labsim.endpoints.modbus.span import Span
from labsim.endpoints.modbus.unit import DATA, Unit
from labsim.endpoints.modbus.watchdog import WRITES, Watchdog
from labsim.errors import UnknownNameError
from labsim.evidence.encoding import Template, template, who
from labsim.evidence.event import Event, Sink
from labsim.evidence.polls import Polls
from labsim.plant.plant import Plant
from labsim.plant.tags import Value
from labsim.scenario.modbus import WatchdogSpec

UnknownUnit = Literal["silent", "gateway", "no-path"]
_NO_ANSWER = -1
_POLLS = 512  # kept: what clients poll repeats, what a scanner tries does not
_NOBODY: dict[UnknownUnit, int] = {
    "silent": _NO_ANSWER,
    "gateway": ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND,
    "no-path": ExceptionCode.GATEWAY_PATH_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks.

    Attributes:
        client: ``ip:port``, or the name of a serial line.
        session: The connection's own name.
        user: Common name of the client's certificate, when one was proven.
        thumb: Its SHA-1 thumbprint in hex.
        role: The role that came with it.
        functions: Function codes that the role may use; None for all.
        json: Who it is, as templates of events take it.
    """

    client: str
    session: str
    user: str = ""
    thumb: str = ""
    role: str = ""
    functions: frozenset[int] | None = None
    json: bytes | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        named = Event(
            kind="", protocol="modbus", client=self.client, session=self.session, user=self.user, thumb=self.thumb
        )
        object.__setattr__(self, "json", who(named))


class Application:
    """The devices behind one endpoint.

    Args:
        plant: The plant they belong to.
        units: Device path by unit id.
        sink: Gets an event for every request before its response is returned.
        unknown_unit: Nobody's unit id is left without an answer (``silent``, as a server without that device does) or
            answered with exception 0B (``gateway``, as a gateway before serial lines does) or 0A (``no-path``, one whose
            line is not there).
        most: The most registers of one request by unit id, where it is fewer than the device's own.
        watchdogs: Watchdog by device path.

    Attributes:
        line: What was heard.
        gather, settle: Around the requests of one segment, whose events are then kept at once: see `Polls`.

    Raises:
        UnknownNameError: the plant has no such device, or a device no such tag.
        InputError: a device does not speak Modbus.
    """

    def __init__(
        self,
        plant: Plant,
        units: Mapping[int, str],
        sink: Sink,
        unknown_unit: UnknownUnit = "silent",
        *,
        most: Mapping[int, int] | None = None,
        watchdogs: Mapping[str, WatchdogSpec] | None = None,
    ) -> None:
        self.units: dict[int, Unit] = {}
        self.line = Line()
        self._dogs: dict[str, Watchdog] = {}
        for unit, path in sorted(units.items()):
            if path not in plant.devices:
                raise UnknownNameError("device", path, plant.devices)
            device = plant.devices[path]
            if watchdogs and path in watchdogs and path not in self._dogs:
                self._dogs[path] = Watchdog(watchdogs[path], device, plant.store, sink)
            self.units[unit] = Unit(
                device, plant.store, self.line, most=(most or {}).get(unit, 125), watchdog=self._dogs.get(path)
            )
        self._conditions = [unit.device.condition for unit in self.units.values()]
        self._sink = Polls.of(sink)
        self.gather, self.settle = self._sink.gather, self._sink.settle
        self._nobody = _NOBODY[unknown_unit]
        self._polls: dict[tuple[int, bytes], _Poll] = {}
        self._clock, self._chance = plant.clock, random.Random(plant.seed)  # noqa: S311 - a delay, not a secret

    def tick(self) -> bool:
        """The plant has made a step; whether a watchdog has just expired that hangs up on its clients.

        Raises:
            EvidenceError: a change of state could not be kept.
        """
        for unit in self.units.values():
            unit.tick()
        expired = [dog for dog in self._dogs.values() if dog.tick()]
        return any(dog.spec.close for dog in expired)

    def respond(self, peer: Peer, number: int, pdu: bytes) -> bytes | None:
        """Answer one request.

        Args:
            peer: Who asks.
            number: Unit id.
            pdu: Request PDU, at least the function code.

        Returns:
            The response PDU, or None when the request is to be left without an answer.

        Raises:
            EvidenceError: the event could not be kept, so there must be no answer. Between `gather` and `settle` it is the
                latter that says so.
        """
        self.line.messages += 1
        asked = (number, pdu)
        poll = self._polls.get(asked)
        if poll is not None and poll.holds(peer):
            return self._repeat(peer, asked, poll)
        unit = self.units.get(number)
        if unit is None:
            request = parse(pdu)
            self._keep(peer, number, "", request, self._nobody)
            return None if self._nobody == _NO_ANSWER else bytes((request.function | 0x80, self._nobody))
        if unit.device.condition.dead:
            return self._dead(peer, unit, number, pdu)
        request, code, response, event = self._carry_out(peer, unit, number, pdu)
        if code == _NO_ANSWER:
            return None
        if code:
            return bytes((request.function | 0x80, code))
        if request.function <= 4:
            self._remember(unit, request, asked)
            self._sink.begin(event, asked)
        return response

    def _dead(self, peer: Peer, unit: Unit, number: int, pdu: bytes) -> bytes | None:
        """A device that does not answer: so its gateway says, or nobody says anything."""
        request = parse(pdu)
        silent = unit.device.condition.dead == "silent"
        code = _NO_ANSWER if silent else int(ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND)
        self._keep(peer, number, unit.device.path, request, code)
        return None if silent else bytes((request.function | 0x80, code))

    @property
    def slow(self) -> bool:
        """Whether a device takes its time for an answer."""
        for condition in self._conditions:  # noqa: SIM110 - looked at for every segment: a generator takes longer
            if condition.delay_s:
                return True
        return False

    def delay_s(self, number: int) -> float:
        """Wall seconds that a unit takes for an answer now; what is by chance in it is drawn anew each time."""
        unit = self.units.get(number)
        if unit is None or not unit.device.condition.delay_s:
            return 0.0
        condition = unit.device.condition
        return (condition.delay_s + condition.jitter_s * self._chance.random()) / self._clock.speed

    def _remember(self, unit: Unit, request: Request, asked: tuple[int, bytes]) -> None:
        access = request.accesses[0]
        span = unit.map.span(access.table, access.address, access.count)
        if len(self._polls) >= _POLLS:
            self._polls.clear()
        self._polls[asked] = _Poll(unit, request.function, access, span)

    def _repeat(self, peer: Peer, asked: tuple[int, bytes], poll: _Poll) -> bytes:
        """Answer a read that was answered before: what does not change from one to the next is not judged again."""
        unit = poll.unit
        unit.diagnostics.repeated()
        if unit.watchdog is not None:
            unit.watchdog.heard(poll.function, done=True)
        counted = self._sink.again(peer.session, asked)
        if counted:
            return poll.head + poll.span.raw()
        data, values = poll.span.read()
        if counted is False and (known := poll.templates.get(peer.role)) and (reader := peer.json) is not None:
            self._sink.encoded(known.body(reader, values, data.hex()))
            return poll.head + data
        event = self._read_again(peer, asked[0], poll, data, values)
        self._sink(event)
        self._sink.begin(event, asked)
        poll.templates[peer.role] = template(event, "raw")
        return poll.head + data

    def _read_again(self, peer: Peer, number: int, poll: _Poll, data: bytes, values: list[Value]) -> Event:
        access = poll.access
        detail: dict[str, Any] = {
            "unit": number,
            "fc": poll.function,
            "table": access.table,
            "address": access.address,
            "count": access.count,
            "raw": data.hex(),
        }
        if peer.role:
            detail["role"] = peer.role
        return Event(
            kind="read",
            protocol="modbus",
            client=peer.client,
            session=peer.session,
            user=peer.user,
            thumb=peer.thumb,
            device=poll.device,
            tags=poll.tags,
            values=values,
            detail=detail,
        )

    def broadcast(self, peer: Peer, pdu: bytes) -> None:
        """Carry out a request to unit 0 of a serial line: a write for every device, and no answer (Serial Line V1.02 §2.2).

        Raises:
            EvidenceError: an event could not be kept.
        """
        self.line.messages += 1
        if pdu[0] in WRITES:
            for number, unit in self.units.items():
                if not unit.device.condition.dead:
                    self._carry_out(peer, unit, number, pdu)
        else:
            self._keep(peer, 0, "", parse(pdu), _NO_ANSWER)

    def _carry_out(self, peer: Peer, unit: Unit, number: int, pdu: bytes) -> tuple[Request, int, bytes | None, Event]:
        spec = unit.map.spec
        known = pdu[0] in unit.functions or pdu[0] in DATA
        request = parse(pdu, unit.most, spec.max_bits) if known else Request(pdu[0])
        code, response = 0, None
        try:
            if peer.functions is not None and pdu[0] not in peer.functions:
                raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION)  # what a role may not do (Modbus/TCP Security)
            response = unit.answer(request, pdu)
            code = _NO_ANSWER if response is None else 0
        except ModbusError as error:
            code = error.code
        if unit.watchdog is not None:
            unit.watchdog.heard(request.function, done=code == 0)
        return request, code, response, self._keep(peer, number, unit.device.path, request, code)

    def _keep(self, peer: Peer, number: int, device: str, request: Request, code: int) -> Event:
        """Keep an event for each access of a request; gives the last."""
        events = [_event(peer, number, device, request, access, code) for access in request.accesses or (None,)]
        for event in events:
            self._sink(event)
        return events[-1]


class _Poll:
    """A read that was answered without an exception: clients ask the same again and again.

    It holds no values. It is good as long as the register map is the same, because everything else that could make the same
    request end otherwise is looked at each time.
    """

    __slots__ = ("_map", "access", "device", "function", "head", "span", "tags", "templates", "unit")

    def __init__(self, unit: Unit, function: int, access: Access, span: Span) -> None:
        self.unit, self.function, self.access, self.span = unit, function, access, span
        self._map, self.device, self.tags = unit.map, unit.device.path, span.shown
        self.head = bytes((function, len(access.data)))
        self.templates: dict[str, Template | None] = {}  # of its events, by role

    def holds(self, peer: Peer) -> bool:
        """Whether the request would be carried out again."""
        unit = self.unit
        return (
            unit.map is self._map
            and not unit.diagnostics.listening
            and not unit.device.condition.dead
            and (peer.functions is None or self.function in peer.functions)
            and not self.span.refusal
        )


def _event(peer: Peer, number: int, device: str, request: Request, access: Access | None, code: int) -> Event:
    detail: dict[str, Any] = {"unit": number, "fc": request.function}
    if access is not None:
        detail["table"] = access.table
        if access.table == "file":
            detail["file"] = access.file
        if access.address >= 0:
            detail["address"] = access.address
        if access.count >= 0:
            detail["count"] = access.count
        if access.data:
            detail["raw"] = access.data.hex()
        if access.idle:
            detail["idle"] = access.idle
        if access.wear:
            detail["wear"] = access.wear
    if peer.role:
        detail["role"] = peer.role
    return Event(
        kind=access.kind if access else "request",
        protocol="modbus",
        client=peer.client,
        session=peer.session,
        user=peer.user,
        thumb=peer.thumb,
        device=device,
        tags=access.tags if access else [],
        values=access.values if access else [],
        status=code,
        detail=detail,
    )
