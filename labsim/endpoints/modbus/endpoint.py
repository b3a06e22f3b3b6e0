"""The Modbus TCP endpoint: one listener, one device per unit id."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Literal, Self

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from labsim.endpoints.endpoint import Address, Guard, unguarded
from labsim.endpoints.modbus.application import Application
from labsim.endpoints.modbus.connection import Connection, host_port
from labsim.errors import EndpointError
from labsim.evidence.event import Sink
from labsim.plant.plant import Plant

_WAITING = 512  # connections the system may hold for us before they are accepted


class ModbusEndpoint:
    """A Modbus TCP server over some devices of a plant.

    Args:
        plant: The plant.
        units: Device path by unit id.
        sink: Gets every event before its answer leaves.
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
        unknown_unit: What a request for a unit id that nobody has gets: no answer, or exception 0B as from a gateway.
        guard: What its connections stand behind.

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak Modbus.
    """

    protocol = "modbus"

    def __init__(
        self,
        plant: Plant,
        units: Mapping[int, str],
        sink: Sink,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        unknown_unit: Literal["silent", "gateway"] = "silent",
        guard: Guard = unguarded,
    ) -> None:
        self._units, self._sink = dict(units), sink
        self._host, self._port, self._guard = host, port, guard
        self._application = Application(plant, units, sink, unknown_unit)
        self._listener: _Listener | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            EndpointError: the port cannot be had.
        """
        listener = _Listener(self._application, self._sink, self._host, self._port, self._guard)
        try:
            await listener.open()
        except OSError as error:
            raise EndpointError(_cannot_listen(self._host, self._port, error)) from error
        self._listener = listener
        self._port = listener.port
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and hang up on everybody."""
        if self._listener is not None:
            await self._listener.shut()
            self._listener = None

    def addresses(self) -> list[Address]:
        """One address per unit, in the order of the units."""
        url = f"modbus-tcp://{host_port(self._host, self._port)}"
        return [Address(path, self.protocol, url, unit) for unit, path in sorted(self._units.items())]


class _Listener(ModbusProtocol):  # type: ignore[misc]  # pymodbus's transport is untyped for us
    """pymodbus's listener, which keeps track of its connections, making ours."""

    def __init__(self, application: Application, sink: Sink, host: str, port: int, guard: Guard) -> None:
        super().__init__(
            CommParams(comm_name="modbus", comm_type=CommType.TCP, source_address=(host, port)), is_server=True
        )
        self._application, self._sink = application, sink
        # The transport's own call sets SO_REUSEADDR everywhere, and on Windows two servers could then share a port.
        factory = guard(self.handle_new_connection)
        self.call_create = partial(self.loop.create_server, factory, host, port, backlog=_WAITING)

    async def open(self) -> None:
        """Bind and listen; unlike the transport's ``listen`` it lets the OSError through that says why not."""
        self.is_listener = True
        self.transport = await self.call_create()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.transport.sockets[0].getsockname()[1])

    def callback_new_connection(self) -> Connection:
        """Called by the transport for each client."""
        connection = Connection(self._application, self._sink)
        if self.is_closing:  # accepted before the port was closed, made after
            connection.hang_up("endpoint closed")
        return connection

    async def shut(self) -> None:
        """Close the port and every connection; answers that nobody reads do not hold it up."""
        server = self.transport
        for connection in list(self.active_connections.values()):
            connection.hang_up("endpoint closed", now=True)
        self.close()
        await server.wait_closed()


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    where = f"Modbus TCP cannot listen on {host_port(host, port)}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program holds the port; close it or choose other ports with --port-base."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: the system does not allow this port; choose ports above 1024 with --port-base."
    return f"{where}: {error.strerror or error}; check --host, or choose other ports with --port-base."
