"""One device behind a unit id: its register map, kept up with its settings, and what each function code does to it.

Section numbers are those of the Modbus Application Protocol V1.1b3. The order of judgement is that of its state diagrams:
01 function, 03 count and form, 02 address, 03 value, 04 and 06 what the device says. The codes themselves are the family's.
"""

from __future__ import annotations

from labsim.endpoints.modbus.diagnostics import Diagnostics, Line
from labsim.endpoints.modbus.effect import Effects
from labsim.endpoints.modbus.exception import ModbusError, exception_of
from labsim.endpoints.modbus.identification import FUNCTION as IDENTIFY
from labsim.endpoints.modbus.identification import identification, read_identification
from labsim.endpoints.modbus.queue import Queue
from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.endpoints.modbus.request import Access, Request
from labsim.endpoints.modbus.span import Span
from labsim.endpoints.modbus.watchdog import Watchdog
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, TagStore, Value

DATA = frozenset((1, 2, 3, 4, 5, 6, 15, 16, 22, 23))
ALWAYS = DATA | {7, 8, 11, 12, 17, IDENTIFY}
"""What a device does when its interface does not name its functions; with files also 20 and 21, with queues 24."""


class Unit:
    """A device as Modbus sees it.

    Attributes:
        device: The device.
        map: Its register map under the present settings.
        functions: The function codes it has.
        most: The most registers of one request.
        diagnostics: What it counts about its communication.
        watchdog: What watches the client's signs of life, if anything does.

    Raises:
        InputError: its interface has no Modbus, or one that cannot be.
    """

    def __init__(
        self,
        device: Device,
        store: TagStore,
        line: Line | None = None,
        *,
        most: int = 125,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.device = device
        self._store = store
        self.map = RegisterMap(device, store)
        spec = self.map.spec
        further = ({20, 21} if spec.files else set()) | ({24} if spec.queues else set())
        self.functions = ALWAYS | further if spec.functions is None else frozenset(spec.functions)
        self.most = min(most, spec.max_registers)
        self.diagnostics = Diagnostics(line or Line())
        self.watchdog = watchdog
        self._effects = Effects(store)
        self._queues = {doc: Queue(queue, device.tags[queue.tag], store) for doc, queue in spec.queues.items()}
        self._identification = identification(device.interface, device.serial)
        device.watch(self._configured)

    def _configured(self, _device: Device, _setting: str) -> None:
        self.map = RegisterMap(self.device, self._store)

    def tick(self) -> None:
        """The plant has made a step."""
        for queue in self._queues.values():
            queue.tick()

    def answer(self, request: Request, pdu: bytes) -> bytes | None:
        """Carry out a request, all of it or nothing, and fill in its accesses.

        Returns:
            The response PDU; None when the device does not answer (listen-only mode, §6.8).

        Raises:
            ModbusError: the request gets an exception response.
        """
        count = self.diagnostics
        count.received()
        if count.listening and not (pdu[:3] == b"\x08\0\1" and 8 in self.functions):
            count.unanswered()
            return None
        try:
            response = self._answer(request, pdu)
        except ModbusError as error:
            count.answered(request.function, error.code)
            raise
        if response is None:
            count.unanswered()
        else:
            count.answered(request.function, 0)
        return response

    def _answer(self, request: Request, pdu: bytes) -> bytes | None:
        codes, function = self.map.spec.exceptions, request.function
        if function not in self.functions:
            raise ModbusError(codes.function)
        if function == IDENTIFY:
            return read_identification(self._identification, pdu)
        if function == 8:
            return self.diagnostics.diagnose(pdu, self._status_bits(), codes)
        if function in (7, 11, 12, 17):
            if len(pdu) != 1:
                raise ModbusError(codes.count)
            return bytes((function,)) + self._say(function)
        if not request.accesses:
            raise ModbusError(codes.function)
        if not request.well_formed:
            raise ModbusError(codes.count)
        if not request.reference:
            raise ModbusError(codes.address)
        if function == 24:
            return self._queue(request.accesses[0])
        return self._access(request, pdu)

    def _access(self, request: Request, pdu: bytes) -> bytes:
        codes = self.map.spec.exceptions
        spans = [
            self.map.span(f"file {a.file}" if a.table == "file" else a.table, a.address, a.count)
            for a in request.accesses
        ]
        for access, span in zip(request.accesses, spans, strict=True):
            if span.functions is not None and request.function not in span.functions:
                raise ModbusError(codes.wrong_function)
            if access.kind == "read" and not span.readable:
                raise ModbusError(codes.part)
            if access.kind == "read" and (bad := span.refusal):
                raise ModbusError(exception_of(bad, self.map.spec.read_only, codes))
        writes = [
            (access, span) for access, span in zip(request.accesses, spans, strict=True) if access.kind == "write"
        ]
        if writes:
            self._write(request, writes)
        for access, span in zip(request.accesses, spans, strict=True):
            if access.kind == "read":
                access.data, access.values = span.read()
                access.tags = span.shown
        return _response(request, pdu)

    def _write(self, request: Request, writes: list[tuple[Access, Span]]) -> None:
        """Judge a write over all of its tags, then let all of them take effect."""
        spec = self.map.spec
        if self._store.refusing:  # the plant is paused: the same will do later, by itself
            raise ModbusError(spec.exceptions.busy)
        changes = []
        for access, span in writes:
            if not span.writable:
                raise ModbusError(spec.read_only)
            if span.cut:
                raise ModbusError(spec.exceptions.part_write)
            if request.function == 22:  # §6.16: (now AND and-mask) OR (or-mask AND NOT and-mask)
                now, keep, put = int.from_bytes(span.read()[0], "big"), *request.masks
                access.data = (now & keep | put & ~keep & 0xFFFF).to_bytes(2, "big")
            try:
                meant = span.decode(access.data)
            except ModbusError:
                raise ModbusError(spec.exceptions.value) from None
            access.tags, access.values = span.tags, [value for _, _, value in meant]
            changes += meant
        if self.watchdog is not None and self.watchdog.refuses(tag for _, tag, _ in changes):
            raise ModbusError(spec.exceptions.state)
        if self._effects.worn(changes):
            raise ModbusError(spec.exceptions.state)
        idle = self._effects.idle(changes)
        code = self._store.write_all([(tag.row, value) for _, tag, value in changes if tag.row not in idle])
        if code != status.GOOD:
            raise ModbusError(exception_of(code, spec.read_only, spec.exceptions))
        wear = self._effects.done(changes)
        for access, span in writes:
            meant = span.decode(access.data)
            access.values = [_told(tag, value) for _, tag, value in meant]
            access.idle = [tag.path for _, tag, _ in meant if tag.row in idle]
            access.wear = wear

    def _queue(self, access: Access) -> bytes:
        spec = self.map.spec
        base = int(self.device.settings.get("base_register", 0))
        queue = self._queues.get(access.address + spec.numbering - base)
        if queue is None:
            raise ModbusError(spec.exceptions.address)
        response = queue.response()
        access.data, access.count = response[5:], len(response[5:]) // 2
        return response

    def _status_bits(self) -> int:
        """The bits of function 7."""
        return sum(bool(self.device.shown(name)) << bit for bit, name in enumerate(self.map.spec.exception_status))

    def _say(self, function: int) -> bytes:
        """The data of the functions that ask for nothing in particular."""
        match function:
            case 7:  # §6.7
                return bytes((self._status_bits(),))
            case 11:  # §6.9
                return self.diagnostics.event_counter()
            case 12:  # §6.10
                return self.diagnostics.event_log()
            case _:  # 17, §6.13: server id, run indicator
                spec = self.map.spec
                name = spec.server_id or self.device.interface.identification.model
                text = name.replace("{serial}", self.device.serial).encode()[:240]
                running = spec.run_tag is None or bool(self.device.shown(spec.run_tag))
                return bytes((len(text) + 1,)) + text + (b"\xff" if running else b"\0")


def _told(tag: Tag, value: Value) -> Value:
    """A value of a write as the journal keeps it: what was asked for, all digits, so that doing it again gives the same."""
    if isinstance(value, str) or tag.type[0] == "f":
        return value
    return bool(value) if tag.type == "bool" else int(value)


def _response(request: Request, pdu: bytes) -> bytes:
    """The response PDU to a request that was carried out."""
    match request.function:
        case 5 | 6 | 21 | 22:  # an echo
            return pdu
        case 15 | 16:  # function, address, quantity
            return pdu[:5]
        case 20:  # §6.14: each group has its length and the reference type
            body = b"".join(bytes((len(a.data) + 1, 6)) + a.data for a in request.accesses)
            return bytes((20, len(body))) + body
        case function:
            data = request.accesses[-1].data
            return bytes((function, len(data))) + data
