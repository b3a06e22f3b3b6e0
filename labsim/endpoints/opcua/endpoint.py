"""The OPC UA endpoint: one server that shows some devices of a plant."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import labsim
from labsim.endpoints.endpoint import Address, Guard, User, unguarded
from labsim.endpoints.opcua.calls import Calls
from labsim.endpoints.opcua.core.certificate import Flaw, make_pair
from labsim.endpoints.opcua.core.configuration import Configuration, show_configuration
from labsim.endpoints.opcua.core.nodeid import text_of
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.server import Server
from labsim.endpoints.opcua.core.trust import TrustFolders
from labsim.endpoints.opcua.core.users import Accounts
from labsim.endpoints.opcua.evidence import Reporter
from labsim.endpoints.opcua.history import StoredHistory
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.live import LiveValues
from labsim.endpoints.opcua.mapping import alarms_by_key, map_devices
from labsim.endpoints.opcua.namespaces import order_of
from labsim.endpoints.opcua.protection import Protection, apply_rights
from labsim.endpoints.opcua.seat import HistorySource
from labsim.endpoints.opcua.shell import Shell
from labsim.endpoints.opcua.template import Template
from labsim.errors import EndpointError
from labsim.evidence.event import Sink
from labsim.plant.events import Occurrence
from labsim.plant.plant import Plant
from labsim.text import LANGUAGES


class OpcuaEndpoint:
    """An OPC UA server over some devices of a plant.

    Args:
        plant: The plant.
        devices: Paths of the devices it shows.
        sink: Gets every event before its answer leaves.
        host: Address to listen on.
        port: TCP port; 0 takes a free one.
        users: Accounts with their role: Observer may look, Operator and Engineer may write too.
        anonymous: Role of a client without a user; None refuses it.
        name: What clients are shown as the server's name; part of its application URI.
        pki: Folder of the server's own certificate and key, made when it is empty, and of the trust lists; None makes the
            certificate anew each time.
        history: Recorded values that clients may read; None when there are none.
        protection: How clients have to prove themselves, what roles may do, what is granted.
        layout: Order of namespaces, kind of node ids, further models.
        guard: What its connections stand behind.

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak OPC UA.
        ScenarioError: a model of the layout does not fit.
    """

    protocol = "opcua"

    def __init__(
        self,
        plant: Plant,
        devices: Sequence[str],
        sink: Sink,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Sequence[User] = (),
        anonymous: str | None = "Observer",
        name: str = "labsim",
        pki: Path | None = None,
        history: HistorySource | None = None,
        protection: Protection | None = None,
        layout: Layout | None = None,
        guard: Guard = unguarded,
    ) -> None:
        self._devices, self._users = list(devices), tuple(users)
        self._host, self._port = host, port
        machine = socket.gethostname()
        self._uri, self._name = f"urn:{quote(machine)}:{quote(name)}", name
        self._plant, self._sink, self._guard = plant, sink, guard
        self._anonymous, self._history = anonymous, history
        self._protection, self._layout = protection or Protection(), layout or Layout()
        self._log = plant.events
        self._pki = Pki(
            self._uri, name, pki, (host, "localhost", machine), listed=self._protection.listed,
            suppressed=self._protection.suppressed, flaw=self._protection.flaw,
        )  # fmt: skip
        self._up = False
        self._change: asyncio.Task[None] | None = None
        self._build(self._layout)

    def _build(self, layout: Layout) -> None:
        """Make the server, as it is when it starts."""
        plant, protection, roles = self._plant, self._protection, Roles()
        kept = self._pki.folder is not None

        def finish(template: Template) -> None:
            apply_rights(template.space, template.devices, plant, roles, protection.rights)
            if kept:
                show_configuration(template.space, roles)

        mapped = map_devices(
            plant, self._devices, uri=self._uri, history=self._history, layout=layout, finish=finish,
            variant=(repr(protection.rights), kept),
        )  # fmt: skip
        self._nodes = {tag.path: key for key, tag in mapped.tags.items()}
        self._conditions = {path: text_of(at.key) for path, at in mapped.template.conditions.items()}
        self._uris = mapped.namespaces  # from index 2 on
        self._view, store = mapped.view, LiveValues(plant)
        alarms = alarms_by_key(mapped)
        self._core = Server(
            uri=self._uri,
            name=self._name,
            space=mapped.space,
            store=store,
            pki=self._pki,
            accounts=Accounts(
                self._anonymous, [(user.name, user.password, user.role) for user in self._users], protection.certified
            ),
            namespaces=mapped.namespaces,
            observer=Reporter(
                self._sink,
                mapped.tags,
                mapped.devices,
                Calls(mapped.calls, alarms),
                store.origin,
                mapped.template.sources,
                mapped.seat.read,
                self._name,
            ),
            context=mapped.seat,
            version=labsim.__version__,
            locales=LANGUAGES,
            roles=roles,
            limits=protection.limits,
            security=protection.security,
            plain_passwords=protection.plain_passwords,
        )
        if kept:
            Configuration(self._core).serve()
        self._core.methods |= mapped.methods
        self._core.conditions.update(alarms)
        if self._history is not None:
            self._core.history = StoredHistory(self._history, mapped.tags, store, plant.events, mapped.view)
        self._shell = Shell(self._core, self._guard)

    def _tell(self, occurrence: Occurrence) -> None:
        event = self._view.event_of(occurrence)
        if event is not None:
            self._core.emit(event)

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            EndpointError: the port cannot be had, or the certificate cannot be read or kept.
        """
        if self._pki.folder is None:
            self._pki.prepare()
        else:
            try:
                await asyncio.to_thread(lambda: self._pki.own)
            except (OSError, ValueError) as error:
                folder = self._pki.folder
                raise EndpointError(
                    f"OPC UA cannot use the certificate in {folder}: {error}. Empty the folder, or give another one."
                ) from error
        await self._start()
        return self

    async def _start(self) -> None:
        try:
            self._port = await self._shell.start(self._host, self._port)
        except OSError as error:
            raise EndpointError(_cannot_listen(_host_port(self._host, self._port), error)) from error
        self._core.host, self._core.port = self._host, self._port
        self._log.listen(self._tell)
        self._up = True

    async def _stop(self) -> None:
        if self._up:
            self._up = False
            self._log.forget(self._tell)
            await self._shell.stop()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and hang up on everybody."""
        if self._change is not None:
            await self._change
        await self._stop()

    faults = ("restart", "certificate-expired", "certificate-changed")

    def begin_fault(self, name: str, _parameters: Mapping[str, float]) -> None:
        """Let the server restart with its namespaces in another order, or show another certificate."""
        if name == "restart":
            self._do(self._restart(self._moved()))
        else:
            self._do(self._show_pair("expired" if name == "certificate-expired" else None))

    def end_fault(self, name: str) -> None:
        """Let the server restart as it was, or show its own certificate."""
        if name == "restart":
            self._do(self._restart(self._layout))
        else:
            self._pki.lent = None

    def _do(self, change: Coroutine[Any, Any, None]) -> None:
        """Change something in the server as soon as the change before it is done."""
        before = self._change

        async def after() -> None:
            if before is not None:
                await before
            await change

        self._change = asyncio.get_running_loop().create_task(after(), name="opcua-change")

    async def _restart(self, layout: Layout) -> None:
        up = self._up
        await self._stop()
        self._build(layout)
        if up:
            await self._start()

    def _moved(self) -> Layout:
        """The layout with the namespaces in an order in which those of the devices have other indexes."""
        own = {device.interface.opcua.namespace for device in map(self._plant.devices.__getitem__, self._devices)
               if device.interface.opcua is not None}  # fmt: skip
        before = list(self._uris)
        return next(
            layout
            for number in range(1000)
            if (layout := replace(self._layout, order=f"restart {number}"))
            and any(order_of(before, layout.order).index(uri) != before.index(uri) for uri in own)
        )

    async def _show_pair(self, flaw: Flaw | None) -> None:
        self._pki.lent = await asyncio.to_thread(make_pair, self._uri, self._name, self._pki.hosts, flaw)

    @property
    def trust(self) -> TrustFolders | None:
        """Whom it trusts: who was refused and may be let in; None when it accepts everybody."""
        return self._pki.trust if self._pki.listed else None

    def node_of(self, path: str) -> str:
        """The node id of a tag, as this server has it; "" when it shows no such tag."""
        key = self._nodes.get(path)
        return "" if key is None else text_of(key)

    def conditions_of(self, device: str) -> list[str]:
        """The node ids of the alarms of a device."""
        return [node for path, node in self._conditions.items() if path.startswith(f"{device}.")]

    def addresses(self) -> list[Address]:
        """One address per device; they share the server."""
        url = f"opc.tcp://{_host_port(self._host, self._port)}"
        return [Address(path, self.protocol, url, users=self._users) for path in self._devices]


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cannot_listen(place: str, error: OSError) -> str:
    where = f"OPC UA cannot listen on {place}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program holds the port; close it or choose other ports with --port-base."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: the system does not allow this port; choose ports above 1024 with --port-base."
    return f"{where}: {error.strerror or error}; check --host, or choose other ports with --port-base."
