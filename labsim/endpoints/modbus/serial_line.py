"""A serial line: a port by name, or a pseudo terminal whose other end a client opens like a port."""

from __future__ import annotations

import os
import sys
from typing import Any

from pymodbus.transport.serialtransport import SerialTransport

from labsim.endpoints.modbus.connection import Connection
from labsim.errors import EndpointError


class SerialLine:
    """An open line.

    Args:
        name: The port's name, or ``pty``.

    Attributes:
        name: What a client on this machine opens.

    Raises:
        EndpointError: there is no pyserial, no such port, or no pseudo terminal on this system.
    """

    def __init__(self, name: str) -> None:
        try:
            import serial  # type: ignore[import-untyped]  # an optional extra, without annotations
        except ImportError as error:
            raise EndpointError(
                "Modbus on a serial line needs pyserial: install it with pip install 'labsim[serial]'."
            ) from error
        self._failure, self._far = serial.SerialException, -1
        self._port: Any = None
        self.name = name
        if name == "pty":
            self._port = self._open_pty()

    def _open_pty(self) -> _Pty:
        if sys.platform == "win32":
            raise EndpointError(
                "Modbus on a pseudo terminal is not to be had on Windows: name a serial port ('serial: COM3'), for instance "
                "one end of a com0com pair, or use 'transport: rtu-over-tcp'."
            )
        import tty

        near, self._far = os.openpty()  # the far end stays open here, so that it outlives its clients
        tty.setraw(self._far)
        os.set_blocking(near, False)
        self.name = os.ttyname(self._far)
        return _Pty(near, self._failure)

    def attach(self, connection: Connection) -> None:
        """Let ``connection`` serve the line.

        Raises:
            EndpointError: the port cannot be had.
        """
        loop = connection.loop
        if self._port is not None:
            transport = _PtyTransport(loop, connection, self._port)
        else:
            try:
                transport = SerialTransport(loop, connection, self.name, 19200, 8, "E", 1, 0)
            except (self._failure, OSError, ValueError) as error:
                raise EndpointError(
                    f"Modbus cannot open the serial port {self.name} ({error}): name another port, or 'pty'."
                ) from error
        transport.setup()

    def close(self) -> None:
        """Give the pseudo terminal back; the connection has closed its own end."""
        if self._far >= 0:
            os.close(self._far)
            self._far = -1


class _Pty:
    """The near end of a pseudo terminal as pymodbus's transport wants a port."""

    def __init__(self, fd: int, failure: type[Exception]) -> None:
        self._fd, self._failure = fd, failure

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        try:
            return os.read(self._fd, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._failure(str(error)) from error

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._failure(str(error)) from error

    def close(self) -> None:
        os.close(self._fd)


class _PtyTransport(SerialTransport):  # type: ignore[misc]  # pymodbus's transport is untyped for us
    """pymodbus's serial transport over a port that is open already."""

    def __init__(self, loop: Any, protocol: Connection, port: _Pty) -> None:
        self._extra: dict[str, Any] = {}
        self.async_loop, self.intern_protocol, self.sync_serial = loop, protocol, port
        self.intern_write_buffer: list[bytes] = []
        self.poll_task = None
        self.force_poll = False
