"""The Modbus endpoint: one listener or serial line, one device per unit id."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from labsim.endpoints.endpoint import Address, Guard, ProtocolFactory, unguarded
from labsim.endpoints.handshake import tell_failures
from labsim.endpoints.modbus.application import Application, UnknownUnit
from labsim.endpoints.modbus.connection import Connection, Manner, host_port, rtu_manner
from labsim.endpoints.modbus.security import Files, Roles, make_certificates
from labsim.endpoints.modbus.serial_line import SerialLine
from labsim.endpoints.modbus.sessions import Sessions
from labsim.errors import EndpointError
from labsim.evidence.event import Sink
from labsim.plant.plant import Plant
from labsim.scenario.modbus import ModbusSpec

_WAITING = 512  # connections the system may hold for us before they are accepted
_HANDSHAKE_S = 20.0
_NAMES = {"tcp": "Modbus TCP", "tls": "Modbus TLS", "rtu-over-tcp": "Modbus RTU over TCP"}


class ModbusEndpoint:
    """A Modbus server over some devices of a plant.

    Args:
        plant: The plant.
        units: Device path by unit id.
        sink: Gets every event before its answer leaves.
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
        unknown_unit: What a request for a unit id that nobody has gets: no answer, or exception 0B or 0A as from a gateway.
        options: Transport, limits, watchdogs; plain TCP without any when it is not given. Its ``port``, ``units`` and
            ``unknown_unit`` are not looked at.
        certificates: With TLS, the server's files; or the folder where they are, or are made.
        guard: What its connections stand behind; a serial line has none.

    Raises:
        UnknownNameError: the plant has no such device, or a device no such tag.
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
        unknown_unit: UnknownUnit = "silent",
        options: ModbusSpec | None = None,
        certificates: Files | Path | None = None,
        guard: Guard = unguarded,
    ) -> None:
        self._units, self._sink = dict(units), sink
        self._host, self._port = host, port
        self._options = options or ModbusSpec(units={})
        self._certificates, self._guard = certificates, guard
        self._application = Application(
            plant,
            units,
            sink,
            unknown_unit,
            most=self._options.max_registers,
            watchdogs=self._options.watchdogs,
        )
        self._delay_s = self._options.delay / plant.clock.speed
        roles = Roles(self._options.tls) if self._options.transport == "tls" else None
        self._sessions = Sessions(self._options, plant.store, roles)
        self._listener: _Listener | None = None
        self._line: SerialLine | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            EndpointError: the port or the line cannot be had, or the certificates cannot be used.
        """
        self._sessions.closed = False
        if self._options.transport == "serial":
            line = SerialLine(self._options.serial)
            manner = rtu_manner(line.name, self._delay_s, self._options.backlog)
            line.attach(self._connection(manner))
            self._line = line
            return self
        if self._options.transport == "rtu-over-tcp":
            manner = rtu_manner("", self._delay_s, self._options.backlog)
        else:
            manner = Manner(delay_s=self._delay_s, backlog=self._options.backlog)
        context = self._context() if self._options.transport == "tls" else None
        listener = _Listener(self._guard(partial(self._connection, manner)), self._host, self._port, context)
        try:
            await listener.open()
        except OSError as error:
            raise EndpointError(
                _cannot_listen(_NAMES[self._options.transport], self._host, self._port, error)
            ) from error
        self._listener = listener
        self._port = listener.port
        return self

    def _context(self) -> ssl.SSLContext:
        files = self._certificates
        if files is None:
            raise EndpointError("Modbus TLS needs certificates: give their files, or a folder to make them in.")
        if isinstance(files, Path):
            spec = self._options.tls
            roles = [role for role in spec.permissions if role not in spec.roles.values()] or [""] * (not spec.roles)
            clients = dict.fromkeys(spec.roles, "") | {role.lower() or "client": role for role in roles}
            files = make_certificates(files, (self._host, "localhost", "127.0.0.1", socket.gethostname()), clients)
        context = files.context()
        tell_failures(context, "modbus", self._sink)
        return context

    def _connection(self, manner: Manner) -> Connection:
        return Connection(self._application, self._sink, manner, self._sessions.admit, self._sessions.gone)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and hang up on everybody."""
        self._sessions.closed = True
        self._sessions.hang_up("endpoint closed")
        if self._listener is not None:
            await self._listener.shut()
            self._listener = None
        if self._line is not None:
            self._line.close()
            self._line = None

    def tick(self) -> None:
        """The plant has made a step: queues, watchdogs and idle connections are looked at.

        Raises:
            EvidenceError: a watchdog's change of state could not be kept.
        """
        if self._application.tick():
            self._sessions.hang_up("watchdog expired")
        self._sessions.tick()

    faults = ("connection-limit",)

    def begin_fault(self, _name: str, parameters: Mapping[str, float]) -> None:
        """Let no more connections in than the fault ``connection-limit`` says."""
        self._sessions.limit = int(parameters["sessions"]), bool(parameters["hang"])

    def end_fault(self, _name: str) -> None:
        """Go back to the scenario's own limit."""
        self._sessions.limit = None

    def addresses(self) -> list[Address]:
        """One address per unit, in the order of the units."""
        where = host_port(self._host, self._port)
        url = {
            "tcp": f"modbus-tcp://{where}",
            "tls": f"modbus-tls://{where}",
            "rtu-over-tcp": f"modbus-rtu-tcp://{where}",
            "serial": f"modbus-rtu://{self._line.name if self._line else self._options.serial}",
        }[self._options.transport]
        return [Address(path, self.protocol, url, unit) for unit, path in sorted(self._units.items())]


class _Listener(ModbusProtocol):  # type: ignore[misc]  # pymodbus's transport is untyped for us
    """pymodbus's listener, making our connections. Which of them there are the endpoint's `Sessions` know."""

    def __init__(self, factory: ProtocolFactory, host: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(
            CommParams(comm_name="modbus", comm_type=CommType.TCP, source_address=(host, port)), is_server=True
        )
        # The transport's own call sets SO_REUSEADDR everywhere, and on Windows two servers could then share a port.
        self.call_create = partial(
            self.loop.create_server,
            factory,
            host,
            port,
            backlog=_WAITING,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_S if context else None,
        )

    async def open(self) -> None:
        """Bind and listen; unlike the transport's ``listen`` it lets the OSError through that says why not."""
        self.is_listener = True
        self.transport = await self.call_create()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.transport.sockets[0].getsockname()[1])

    async def shut(self) -> None:
        """Close the port."""
        server = self.transport
        self.close()
        await server.wait_closed()


def _cannot_listen(name: str, host: str, port: int, error: OSError) -> str:
    where = f"{name} cannot listen on {host_port(host, port)}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program holds the port; close it or choose other ports with --port-base."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: the system does not allow this port; choose ports above 1024 with --port-base."
    return f"{where}: {error.strerror or error}; check --host, or choose other ports with --port-base."
