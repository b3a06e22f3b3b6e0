"""The core of a Modbus server: a request PDU for a unit in, a response PDU out, evidence in between. It knows no transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.endpoints.modbus.request import Access, Request, parse
from labsim.endpoints.modbus.unit import Unit
from labsim.errors import UnknownNameError
from labsim.evidence.event import Event, Sink
from labsim.plant.plant import Plant

UnknownUnit = Literal["silent", "gateway"]
_NO_ANSWER = -1


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks: ``client`` is ``ip:port``, ``session`` the connection's own name."""

    client: str
    session: str


class Application:
    """The devices behind one endpoint.

    Args:
        plant: The plant they belong to.
        units: Device path by unit id.
        sink: Gets an event for every request before its response is returned.
        unknown_unit: Nobody's unit id is left without an answer (``silent``, as a server without that device does) or
            answered with exception 0B (``gateway``, as a gateway before serial lines does).

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak Modbus.
    """

    def __init__(
        self, plant: Plant, units: Mapping[int, str], sink: Sink, unknown_unit: UnknownUnit = "silent"
    ) -> None:
        self.units: dict[int, Unit] = {}
        for unit, path in sorted(units.items()):
            if path not in plant.devices:
                raise UnknownNameError("device", path, plant.devices)
            self.units[unit] = Unit(plant.devices[path], plant.store)
        self._sink = sink
        self._nobody: int = ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND if unknown_unit == "gateway" else _NO_ANSWER

    def respond(self, peer: Peer, number: int, pdu: bytes) -> bytes | None:
        """Answer one request.

        Args:
            peer: Who asks.
            number: Unit id.
            pdu: Request PDU, at least the function code.

        Returns:
            The response PDU, or None when the request is to be left without an answer.

        Raises:
            EvidenceError: the event could not be kept, so there must be no answer.
        """
        unit = self.units.get(number)
        request = parse(pdu, unit.map.spec.max_registers) if unit else parse(pdu)
        code, response = 0, b""
        if unit is None:
            code = self._nobody
        else:
            try:
                response = unit.answer(request, pdu)
            except ModbusError as error:
                code = error.code
        device = unit.device.path if unit else ""
        for access in request.accesses or (None,):
            self._sink(_event(peer, number, device, request, access, code))
        if code == _NO_ANSWER:
            return None
        return bytes((request.function | 0x80, code)) if code else response


def _event(peer: Peer, number: int, device: str, request: Request, access: Access | None, code: int) -> Event:
    detail: dict[str, Any] = {"unit": number, "fc": request.function}
    if access is not None:
        detail["table"] = access.table
        if access.address >= 0:
            detail["address"] = access.address
        if access.count >= 0:
            detail["count"] = access.count
        if access.data:
            detail["raw"] = access.data.hex()
    return Event(
        kind=access.kind if access else "request",
        protocol="modbus",
        client=peer.client,
        session=peer.session,
        device=device,
        tags=access.tags if access else [],
        values=access.values if access else [],
        status=code,
        detail=detail,
    )
