"""A Modbus client for one question after another: pymodbus inside, one sentence when something goes wrong."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from labsim.errors import InputError
from labsim.probe.address import HIGHEST, Address
from labsim.probe.credentials import Credentials
from labsim.probe.error import ProbeError, reason
from labsim.probe.target import Target

EXCEPTIONS = {
    1: "function not supported", 2: "no such address", 3: "value not allowed", 4: "device failure", 5: "acknowledged, busy",
    6: "device busy", 8: "memory parity error", 10: "gateway path unavailable", 11: "gateway: target did not respond",
}  # fmt: skip
"""What exception codes mean (Modbus Application Protocol V1.1b3 §7)."""
_GATEWAY = (10, 11)
_MOST = {"holding": 125, "input": 125, "coil": 2000, "discrete": 2000}
_MOST_WRITTEN = {"holding": 123, "coil": 1968}
OBJECTS = {
    0: "vendor", 1: "product code", 2: "revision", 3: "vendor URL", 4: "product name", 5: "model", 6: "application",
}  # fmt: skip
"""Names of the objects of function 43/14 (§6.21)."""


def unit_ids(text: str) -> list[int]:
    """Unit ids of a list such as ``1-16,255``, each once.

    Raises:
        InputError: not a list of unit ids.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdecimal()) or (dash and not (last.isascii() and last.isdecimal())):
            raise InputError(f"{part.strip()!r} is not a unit id or a range. Write them as in 1-16,255.")
        low, high = int(first), int(last or first)
        if not 0 <= low <= high <= 255:
            raise InputError(f"{part.strip()!r} is outside 0 to 255, or runs backwards.")
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)


class RefusedError(ProbeError):
    """The device answered with an exception; ``code`` is its number."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class SilentError(ProbeError):
    """The device did not answer in time."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a unit id answered when it was asked whether anybody is there: ``code`` 0 for a good answer, and its nameplate."""

    unit: int
    code: int
    nameplate: dict[str, str]


class ModbusProbe:
    """One connection to a server, for any of its units. Use it as a context manager.

    Args:
        target: Where; the scheme says how.
        timeout: Seconds to wait for a connection and for each answer.
        credentials: For ``modbus-tls``.
    """

    def __init__(self, target: Target, timeout: float = 2.0, credentials: Credentials | None = None) -> None:
        self.target, self.timeout = target, timeout
        self._tls = (credentials or Credentials()).context() if target.scheme == "modbus-tls" else None
        self._client: Any = _client(target, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def read(self, unit: int, start: Address, count: int) -> list[int]:
        """Registers, or bits as 0 and 1; in as many requests as it takes.

        Raises:
            RefusedError: the device answered with an exception.
            SilentError: it did not answer.
            ProbeError: no connection, or something that is not Modbus.
        """
        client = self._client
        ask = {
            "holding": (3, client.read_holding_registers),
            "input": (4, client.read_input_registers),
            "coil": (1, client.read_coils),
            "discrete": (2, client.read_discrete_inputs),
        }[start.table]
        found: list[int] = []
        while len(found) < count:
            here, n = start.after(len(found)), min(count - len(found), _MOST[start.table])
            if here.number + n - 1 > HIGHEST:
                raise ProbeError(
                    f"{here.table} {HIGHEST} is the last there can be; {n} from {here.number} on are too many."
                )
            answer = self._ask(unit, f"a read of {here}, count {n}", *ask, here.number, count=n)
            got = answer.registers if start.table in ("holding", "input") else answer.bits
            if len(got) < n:
                raise ProbeError(f"{self.target} unit {unit} answered with {len(got)} instead of {n} values.")
            found += [int(value) for value in got[:n]]
        return found

    def write(self, unit: int, start: Address, values: Sequence[int], *, single: bool = False) -> None:
        """Write holding registers or coils in one request: functions 16 and 15, with ``single`` 6 and 5.

        Raises:
            ProbeError: as `read`; also when they are too many or the table cannot be written.
        """
        most = 1 if single else _MOST_WRITTEN.get(start.table, 0)
        if not most:
            raise ProbeError(f"the {start.table} table cannot be written: choose holding or coil.")
        if len(values) > most:
            raise ProbeError(f"{len(values)} values are too many for one request: at most {most}.")
        client, what = self._client, f"a write to {start}, count {len(values)}"
        if start.table == "coil":
            bits = [bool(value) for value in values]
            if single:
                self._ask(unit, what, 5, client.write_coil, start.number, bits[0])
            else:
                self._ask(unit, what, 15, client.write_coils, start.number, bits)
        elif single:
            self._ask(unit, what, 6, client.write_register, start.number, values[0])
        else:
            self._ask(unit, what, 16, client.write_registers, start.number, list(values))

    def identify(self, unit: int) -> Identity | None:
        """Whether anybody has the unit id; None when nobody answers, or a gateway says that nobody does.

        Raises:
            ProbeError: no connection.
        """
        code = 0
        try:
            self.read(unit, Address("holding", 0), 1)
        except RefusedError as refusal:
            code = refusal.code
        except SilentError:
            return None
        if code in _GATEWAY:
            return None
        return Identity(unit, code, self._nameplate(unit))

    def _nameplate(self, unit: int) -> dict[str, str]:
        """The basic objects of function 43/14, as far as the device has any."""
        try:
            answer = self._ask(
                unit, "identification", 43, self._client.read_device_information, read_code=1, object_id=0
            )
        except ProbeError:
            return {}  # many devices have none; the unit answered all the same
        objects: dict[int, Any] = getattr(answer, "information", None) or {}
        return {
            OBJECTS.get(number, str(number)): raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
            for number, raw in sorted(objects.items())
        }

    def _ask(self, unit: int, what: str, function: int, ask: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        from pymodbus.exceptions import ConnectionException, ModbusException

        self._connect()
        try:
            answer = ask(*arguments, device_id=unit, **more)
        except ConnectionException:
            raise self._silence(unit, what, "closed the connection on") from None
        except ModbusException:
            raise self._silence(unit, what, "did not answer") from None
        except OSError as error:
            self._client.close()
            raise ProbeError(f"{self.target}: {reason(error)}.") from error
        if answer.function_code & 0x7F != function:  # pymodbus takes the answer to any question
            self._client.close()
            raise ProbeError(f"{self.target} unit {unit} answered {what} with function {answer.function_code}.")
        if answer.isError():
            code = int(getattr(answer, "exception_code", 0))
            meaning = EXCEPTIONS.get(code, "of the maker's own")
            raise RefusedError(f"{self.target} unit {unit} answered {what} with exception {code:02d}, {meaning}.", code)
        return answer

    def _connect(self) -> None:
        """Connect where pymodbus would, but say why not, and with the server's name in TLS."""
        if self._client.socket is not None:
            return
        if not self.target.host:
            if not self._client.connect():
                raise ProbeError(f"{self.target} cannot be opened: is it there, may you use it, and does nobody else?")
            return
        where = self.target.host, self.target.port
        try:
            connection = socket.create_connection(where, self.timeout)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self.target.host)
        except OSError as error:
            raise ProbeError(f"{self.target} cannot be reached: {reason(error)}.") from error
        self._client.socket = connection

    def _silence(self, unit: int, what: str, how: str) -> SilentError:
        """A connection that owes an answer is given up, so that a late one is not taken for the next."""
        self._client.close()
        return SilentError(f"{self.target} unit {unit} {how} {what} within {self.timeout:g} s.")


def _client(target: Target, timeout: float) -> Any:
    from pymodbus import FramerType
    from pymodbus.client import ModbusTcpClient

    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL + 1)  # what it says, we say in one sentence
    if target.scheme == "modbus-rtu":
        return _serial(target, timeout)
    framer = FramerType.RTU if target.scheme == "modbus-rtu-tcp" else FramerType.SOCKET
    return ModbusTcpClient(target.host, port=target.port, timeout=timeout, retries=0, framer=framer)


def _serial(target: Target, timeout: float) -> Any:
    """A client on a serial port: 19200 8E1, as the serial line guide has it (§2.5.1), unless the query says otherwise."""
    from urllib.parse import parse_qsl

    from pymodbus import FramerType
    from pymodbus.client import ModbusSerialClient

    parity = "N" if target.path.startswith("/dev/pts/") else "E"  # a pseudo terminal has no parity, and says so
    line: dict[str, Any] = {"baudrate": 19200, "parity": parity, "stopbits": 1}
    for name, value in parse_qsl(target.query):
        if (
            name not in line
            or (name == "parity" and value not in ("N", "E", "O"))
            or (name != "parity" and not value.isdecimal())
        ):
            raise InputError(
                f"{name}={value} sets no serial line. Write ?baudrate=9600&parity=N&stopbits=2, each if needed."
            )
        line[name] = value if name == "parity" else int(value)
    try:
        return ModbusSerialClient(target.path, framer=FramerType.RTU, timeout=timeout, retries=0, **line)
    except RuntimeError:
        raise ProbeError(f"{target} needs pyserial: install it with pip install pyserial.") from None
