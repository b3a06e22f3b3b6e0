"""The host's own probes: what a check wants tried is tried with our own clients, and what comes of it is journalled.

A probe goes through a relay of its own, a port on the loopback address, which connects from the address that is asked for
before a byte is sent. So the host knows which connections of the journal are its own, whatever client library is inside.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from grader.checks.probe import (
    CHECK,
    DONE,
    ERROR,
    REFUSED,
    UNREACHABLE,
    ModbusProbeParams,
    MqttProbeParams,
    OpcuaProbeParams,
    Wanted,
)
from labsim.endpoints.endpoint import Address, Endpoint
from labsim.errors import InputError, LabsimError
from labsim.lab.note import Note
from labsim.probe.address import Address as Register
from labsim.probe.credentials import Credentials
from labsim.probe.error import ProbeError
from labsim.probe.target import Target

APP = "labsim probe"
_AT_ONCE = 4
_CHUNK = 1 << 16
_REFUSALS = ("refused", "does not offer", "closed the connection", "the connection was lost", "the connection ended")
_SILENCE = ("cannot be reached", "did not answer", "within")
_CODE = re.compile(r"answered (Bad\w+)|\(code (\d+)\)|exception (\d+)|refused the \w+: ([^.]+)")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try: done, refused, unreachable or error; the protocol's code, why, and what was read or came."""

    result: str
    code: str = ""
    reason: str = ""
    values: tuple[Any, ...] = ()


@dataclass
class Relay:
    """A port of our own through which one client reaches a server.

    Attributes:
        target: Host and port of the server.
        source: The address its connections come from; "" for the system's choice.
        clients: These addresses as the server's events name them.
        told: Is told each of these addresses before a byte is sent from it, and again (False) when its connection is over.
        failure: Why the server could not be reached, if it could not.
    """

    target: tuple[str, int]
    source: str
    clients: list[str] = field(default_factory=list)
    failure: OSError | None = None
    unusable: OSError | None = None
    told: Callable[[str, bool], None] = lambda _client, _opens: None
    _server: asyncio.Server | None = None
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._server = None
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where the client has to connect."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._server is None:  # accepted as the relay closed
            writer.close()
            return
        self._pumps.add(task)
        try:
            client, far_reader, far_writer = await self._connect()
        except (OSError, asyncio.CancelledError):  # cancelled: the relay closes
            writer.close()
            return
        try:
            with suppress(asyncio.CancelledError):  # the relay closes; asyncio's streams log a task that was cancelled
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()
            writer.close()
            self.told(client, False)

    async def _connect(self) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
        family, _, _, _, where = socket.getaddrinfo(*self.target, type=socket.SOCK_STREAM)[0]
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            # Bound before it is connected, so that its address is known before the server can tell of it.
            connection.bind((self.source or ("::1" if family == socket.AF_INET6 else "127.0.0.1"), 0))
        except OSError as error:
            self.unusable = error
            connection.close()
            raise
        host, port = connection.getsockname()[:2]
        client = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.clients.append(client)
        self.told(client, True)
        try:
            await asyncio.get_running_loop().sock_connect(connection, where)
            return client, *await asyncio.open_connection(sock=connection)
        except BaseException as error:  # cancelled, too: nobody else would close it
            self.failure = error if isinstance(error, OSError) else None
            connection.close()
            self.told(client, False)
            raise


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class Probes:
    """The probes of one lab.

    Args:
        wanted: What is to be tried.
        endpoints: The lab's endpoints by every name of theirs.
        certificates: Folder of the lab's certificates; our own identity lies beside them.
        note: Keeps the events.
        seq: Number of the last record.
    """

    def __init__(
        self,
        wanted: Sequence[Wanted],
        endpoints: dict[str, Endpoint],
        certificates: Path,
        note: Note,
        seq: Callable[[], int],
    ) -> None:
        self._wanted, self._endpoints, self._certificates = wanted, endpoints, certificates
        self._note, self._seq = note, seq
        self._timed = {one.key: one for one in wanted if one.params.at != CHECK}
        self._running: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def skip_until(self, now_ns: int) -> None:
        """Leave out those whose time has passed in an earlier run."""
        self._timed = {key: one for key, one in self._timed.items() if _due_ns(one) > now_ns}

    def tick(self, now_ns: int) -> None:
        """Begin those whose time has come."""
        for key, one in list(self._timed.items()):
            if _due_ns(one) <= now_ns:
                del self._timed[key]
                task = asyncio.get_running_loop().create_task(self._make(one))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def at_check(self, task: str | None) -> None:
        """Make those that every check wants: of a task, or of all and the penalties; then wait for those under way."""
        due = {one.key: one for one in self._wanted if one.params.at == CHECK and task in (None, one.task)}
        await asyncio.gather(*(self._make(one) for one in due.values()), *self._running)

    async def _make(self, wanted: Wanted) -> None:
        """Try, and journal what came of it."""
        async with self._gate:
            since, relay, found = self._seq(), None, Result(ERROR)
            params = wanted.params
            try:
                endpoint = self._endpoint(wanted)
                address = _address(endpoint, params)
                parts = urlsplit(address.url)
                relay = Relay((local(parts.hostname or ""), parts.port or 0), params.source)
                async with relay:
                    work = asyncio.to_thread(self._try, endpoint, address, parts.scheme, relay.port, params)
                    found = await asyncio.wait_for(work, 4 * params.timeout + getattr(params, "listen", 0.0))
            except TimeoutError:
                found = Result(UNREACHABLE, "", "no answer in time")
            except (LabsimError, OSError, ValueError) as error:
                found = Result(ERROR, "", str(error)[:200])
            if relay is not None and relay.unusable is not None:
                found = Result(ERROR, "", f"{params.source} cannot be used on this computer: {relay.unusable.strerror}")
            elif relay is not None and relay.failure is not None and found.result != DONE:
                found = Result(UNREACHABLE, "", str(relay.failure.strerror or relay.failure))
            protocol = wanted.name.partition(".")[2]
            about = params.model_dump(exclude_none=True)
            detail: dict[str, Any] = {
                "probe": wanted.key, "protocol": protocol, "action": about["action"], "user": params.user,
                "result": found.result, "since": since, "clients": relay.clients if relay is not None else [],
            }  # fmt: skip
            detail |= {name: text for name, text in (("code", found.code), ("reason", found.reason)) if text}
            target = str(about.get("tag") or about.get("node") or about.get("topic") or params.endpoint or protocol)
            self._note("probe", subject=target, values=list(found.values), detail=detail)

    def _endpoint(self, wanted: Wanted) -> Endpoint:
        protocol, name = wanted.name.partition(".")[2], wanted.params.endpoint
        if name and name not in self._endpoints:
            raise InputError(f"there is no endpoint {name!r}; there are: {', '.join(self._endpoints)}.")
        found = self._endpoints[name] if name else None
        device = str(getattr(wanted.params, "tag", None) or getattr(wanted.params, "device", None) or "").partition(
            "."
        )[0]
        alike = [one for one in dict.fromkeys(self._endpoints.values()) if one.protocol == protocol]
        holding = [one for one in alike if not device or any(address.device == device for address in one.addresses())]
        found = found or next(iter(holding or alike), None)
        if found is None or found.protocol != protocol:
            raise InputError(f"there is no {protocol} endpoint {name!r}.")
        return found

    def _try(self, endpoint: Endpoint, address: Address, scheme: str, port: int, params: Any) -> Result:
        """In a thread of its own: our clients wait."""
        target = Target(scheme, "127.0.0.1", port, params.user, params.password, urlsplit(address.url).path)
        try:
            if isinstance(params, OpcuaProbeParams):
                return _opcua(target, params, endpoint, self._certificates)
            if isinstance(params, ModbusProbeParams):
                return _modbus(target, params, address)
            return _mqtt(target, params, self._certificates)
        except ProbeError as error:
            return failed(str(error), str(target))


def _due_ns(one: Wanted) -> int:
    return round(float(one.params.at) * 1e9)


def local(host: str) -> str:
    """Where to connect to what listens on a host; every address means this computer's own."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound


def _address(endpoint: Endpoint, params: Any) -> Address:
    """The address of an endpoint that a probe means."""
    every = endpoint.addresses()
    if isinstance(params, MqttProbeParams):
        wanted = ("mqtts",) if params.tls else ("mqtt",)
        every = [one for one in every if urlsplit(one.url).scheme in wanted]
        if not every:
            raise InputError(f"the broker has no {wanted[0]} address.")
    if isinstance(params, ModbusProbeParams):
        every = [one for one in every if one.url.startswith("modbus-t") and params.device in (None, one.device)]
        if not every:
            raise InputError(f"no Modbus TCP endpoint has the device {params.device!r}.")
    return every[0]


def failed(sentence: str, where: str) -> Result:
    """What a client's complaint means."""
    said = sentence.removeprefix(where).strip(" :.")
    found = _CODE.search(said)
    code = next((group for group in found.groups() if group), "") if found else ""
    if code or any(word in said for word in _REFUSALS):
        return Result(REFUSED, code, said[:200])
    if any(word in said for word in _SILENCE):
        return Result(UNREACHABLE, "", said[:200])
    return Result(ERROR, "", said[:200])


def _opcua(target: Target, params: OpcuaProbeParams, endpoint: Endpoint, certificates: Path) -> Result:
    from labsim.probe.access import Access
    from labsim.probe.opcua import OpcuaProbe

    node = params.node
    if params.tag is not None:
        node = getattr(endpoint, "node_of", lambda _path: "")(params.tag)
        if not node:
            raise InputError(f"the server shows no tag {params.tag}.")
    access = Access(policy=params.security, plain_password=True, pki=certificates / "probe")
    with OpcuaProbe(target, access, params.timeout) as probe:
        if params.action == "connect":
            return Result(DONE)
        (found,) = probe.read([node])
        if params.action == "read":
            if found.StatusCode is not None and found.StatusCode.is_bad():
                return Result(REFUSED, str(found.StatusCode.name))
            return Result(DONE, values=(str(found.Value.Value if found.Value is not None else ""),))
        present = found.Value.Value if found.Value is not None else 0
        value = present if params.value is None else params.value
        probe.write(node, str(value).lower() if isinstance(value, bool) else str(value))
        return Result(DONE, values=(str(value),))


def _modbus(target: Target, params: ModbusProbeParams, address: Address) -> Result:
    from labsim.probe.modbus import ModbusProbe, RefusedError, SilentError

    unit, place = address.unit or 0, Register(params.table, params.address)
    credentials = Credentials(insecure=True) if target.scheme == "modbus-tls" else None
    with ModbusProbe(target, params.timeout, credentials) as probe:
        try:
            if params.action == "connect":
                with suppress(RefusedError):
                    probe.read(unit, Register("holding", 0), 1)
                return Result(DONE)
            if params.action == "read" or params.value is None:
                (present,) = probe.read(unit, place, 1)
                if params.action == "read":
                    return Result(DONE, values=(present,))
            else:
                present = params.value
            probe.write(unit, place, [present], single=True)
            return Result(DONE, values=(present,))
        except RefusedError as error:
            return Result(REFUSED, f"{error.code:02d}", str(error)[:200])
        except SilentError as error:
            hung_up = "closed the connection" in str(error)
            return Result(REFUSED if hung_up else UNREACHABLE, "", str(error)[:200])


def _mqtt(target: Target, params: MqttProbeParams, certificates: Path) -> Result:
    import time

    from labsim.probe.mqtt import MqttProbe

    folder = certificates / "mqtt" / "clients"
    shown = (
        (folder / f"{params.certificate}.crt", folder / f"{params.certificate}.key")
        if params.certificate
        else (None, None)
    )
    credentials = Credentials(certificate=shown[0], key=shown[1], insecure=True) if params.tls else None
    with MqttProbe(target, version=5, timeout=params.timeout, credentials=credentials) as probe:
        if params.action == "connect":
            return Result(DONE)
        if params.action == "publish":
            probe.deliver(probe.publish(params.topic, params.payload.encode(), 1))
            return Result(DONE)
        probe.subscribe([params.topic], 1)
        if params.action == "subscribe":
            return Result(DONE)
        until = time.monotonic() + params.listen
        while time.monotonic() < until:
            probe.pump(0.1)
        came = [message.topic for message in probe.messages if message.retain or not params.retained]
        return Result(DONE, values=tuple(sorted(set(came))))
