"""One device behind a unit id: its register map, kept up with its settings, and what each function code does to it.

Section numbers are those of the Modbus Application Protocol V1.1b3. The order of judgement is that of its state diagrams:
01 function, 03 count and form, 02 address, 03 value, 04 and 06 what the device says.
"""

from __future__ import annotations

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError, exception_of
from labsim.endpoints.modbus.identification import FUNCTION as IDENTIFY
from labsim.endpoints.modbus.identification import identification, read_identification
from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.endpoints.modbus.request import Access, Request
from labsim.endpoints.modbus.span import Span
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import TagStore


class Unit:
    """A device as Modbus sees it.

    Attributes:
        device: The device.
        map: Its register map under the present settings.

    Raises:
        InputError: its interface has no Modbus, or one that cannot be.
    """

    def __init__(self, device: Device, store: TagStore) -> None:
        self.device = device
        self._store = store
        self.map = RegisterMap(device, store)
        self._identification = identification(device.interface, device.serial)
        device.watch(self._configured)

    def _configured(self, _device: Device, _setting: str) -> None:
        self.map = RegisterMap(self.device, self._store)

    def answer(self, request: Request, pdu: bytes) -> bytes:
        """Carry out a request, all of it or nothing, and fill in its accesses.

        Returns:
            The response PDU.

        Raises:
            ModbusError: the request gets an exception response.
        """
        if request.function == IDENTIFY:
            return read_identification(self._identification, pdu)
        if not request.accesses:
            raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION)
        if not request.well_formed:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE)
        spans = [self.map.span(access.table, access.address, access.count) for access in request.accesses]
        for access, span in zip(request.accesses, spans, strict=True):
            if access.kind == "read" and not span.readable:
                raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        for access, span in zip(request.accesses, spans, strict=True):
            if access.kind == "read":
                access.data, access.values = span.read()
                access.tags = span.tags
            else:
                self._write(request, access, span)
        return _response(request, pdu)

    def _write(self, request: Request, access: Access, span: Span) -> None:
        """Judge a write over all of its tags, then let all of them take effect."""
        read_only = self.map.spec.read_only
        if not span.writable:
            raise ModbusError(read_only)
        if request.function == 22 and not span.cut:  # §6.16: (now AND and-mask) OR (or-mask AND NOT and-mask)
            now, keep, put = int.from_bytes(span.read()[0], "big"), *request.masks
            access.data = (now & keep | put & ~keep & 0xFFFF).to_bytes(2, "big")
        changes = span.decode(access.data)
        access.tags, access.values = span.tags, [value for _, value in changes]
        code = self._store.write_all(changes)
        if code != status.GOOD:
            raise ModbusError(exception_of(code, read_only))
        access.values = [self._store.read(row) for row, _ in changes]


def _response(request: Request, pdu: bytes) -> bytes:
    """The response PDU to a request that was carried out."""
    match request.function:
        case 5 | 6 | 22:  # an echo
            return pdu
        case 15 | 16:  # function, address, quantity
            return pdu[:5]
        case function:
            data = request.accesses[-1].data
            return bytes((function, len(data))) + data
