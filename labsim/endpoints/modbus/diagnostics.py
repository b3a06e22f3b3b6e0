"""What a device counts about its own communication: functions 8, 11 and 12 (Modbus Application Protocol V1.1b3 §6.8 to §6.10)."""

from __future__ import annotations

from collections import deque

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.plant.register_spec import ExceptionsSpec

_RESTARTED, _LISTENING = 0x00, 0x04  # events of §6.10
_RECEIVED, _IN_LISTEN_ONLY = 0x80, 0x20
_SENT, _READ_EXCEPTION, _ABORT_EXCEPTION, _BUSY_EXCEPTION = 0x40, 0x01, 0x02, 0x04
_LOG = 64
_POLL = 11  # "fetch comm event counter" does not count itself


class Line:
    """What all devices of one endpoint hear.

    Attributes:
        messages: Messages heard, for whatever unit.
        errors: Messages that were none: bad checksums, noise.
    """

    __slots__ = ("errors", "messages")

    def __init__(self) -> None:
        self.messages = self.errors = 0


class Diagnostics:
    """Counters and event log of one device; all 16 bits wide on the wire.

    Attributes:
        listening: Listen-only mode: the device hears, and does and answers nothing until it is restarted.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.listening = False
        self._log: deque[int] = deque(maxlen=_LOG)  # the latest first
        self.clear()

    def clear(self) -> None:
        """All counters to 0 (sub-function 10)."""
        self._messages_base, self._errors_base = self._line.messages, self._line.errors
        self._received = self._silent = self._exceptions = self._busy = self._events = 0

    def received(self) -> None:
        """A request for this device has come."""
        self._received += 1
        self._log.appendleft(_RECEIVED | (_IN_LISTEN_ONLY if self.listening else 0))

    def answered(self, function: int, code: int) -> None:
        """It was answered: ``code`` is the exception code or 0."""
        event = _SENT
        if code:
            self._exceptions += 1
            self._busy += code == ExceptionCode.SERVER_DEVICE_BUSY
            event |= _READ_EXCEPTION if code <= 3 else _ABORT_EXCEPTION if code == 4 else _BUSY_EXCEPTION
        elif function != _POLL:
            self._events += 1
        self._log.appendleft(event)

    def repeated(self) -> None:
        """A request has come and was answered well: `received` and `answered` in one."""
        self._received += 1
        self._events += 1
        self._log.extendleft((_RECEIVED, _SENT))

    def unanswered(self) -> None:
        """It was left without an answer."""
        self._silent += 1

    def event_counter(self) -> bytes:
        """Status word (never busy) and event count: the data of function 11."""
        return _word(0) + _word(self._events)

    def event_log(self) -> bytes:
        """The data of function 12: byte count, status, event count, message count, up to 64 events, the latest first."""
        body = self.event_counter() + _word(self._line.messages - self._messages_base) + bytes(self._log)
        return bytes((len(body),)) + body

    def diagnose(self, pdu: bytes, register: int, codes: ExceptionsSpec) -> bytes | None:
        """The response PDU to function 8; None where the standard wants none (sub-function 4, or 1 in listen-only mode).

        Args:
            pdu: The request.
            register: The diagnostic register.
            codes: The family's exception codes.

        Raises:
            ModbusError: 01 no such sub-function, 03 data that it does not take.
        """
        if len(pdu) < 5:
            raise ModbusError(codes.count)
        number, data = int.from_bytes(pdu[1:3], "big"), pdu[3:]
        if number == 0:
            return pdu
        if number not in (1, 2, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20):
            raise ModbusError(codes.function)
        if data != b"\0\0" and not (number == 1 and data == b"\xff\0"):
            raise ModbusError(codes.value)
        match number:
            case 1:
                return self._restart(pdu)
            case 4:
                self.listening = True
                self._log.appendleft(_LISTENING)
                return None
            case 10:
                self.clear()
                return pdu
            case 20:
                return pdu  # there is no overrun to clear
        counts = {
            2: register,
            11: self._line.messages - self._messages_base,
            12: self._line.errors - self._errors_base,
            13: self._exceptions,
            14: self._received,
            15: self._silent,
            17: self._busy,
        }
        return pdu[:3] + _word(counts.get(number, 0))

    def _restart(self, pdu: bytes) -> bytes | None:
        was_listening, self.listening = self.listening, False
        self.clear()
        if pdu[3] == 0xFF:
            self._log.clear()
        self._log.appendleft(_RESTARTED)
        return None if was_listening else pdu


def _word(number: int) -> bytes:
    return (number & 0xFFFF).to_bytes(2, "big")
