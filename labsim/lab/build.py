"""The plant and the endpoints of a scenario: the one place where scenario, devices and protocols meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

import devices
from grader.graded import graded_tags
from labsim.endpoints.endpoint import Endpoint, Guard, User
from labsim.evidence.event import Sink
from labsim.evidence.live import LiveHistory
from labsim.evidence.manifest import Nameplate, TagInfo
from labsim.evidence.seal import PKI
from labsim.lab.ports import endpoint_ports
from labsim.plant.clock import SimClock
from labsim.plant.faults import concerned
from labsim.plant.plant import Plant
from labsim.plant.sensor import sensor_of
from labsim.plant.tags import TRUE
from labsim.scenario.http import HttpSpec
from labsim.scenario.include import PlantFile
from labsim.scenario.modbus import ModbusSpec
from labsim.scenario.model import Scenario
from labsim.scenario.mqtt import MqttSpec, TopicRights
from labsim.scenario.ntp import NtpSpec
from labsim.scenario.opcua import OpcuaSpec
from labsim.scenario.part import Account
from labsim.scenario.timeline import all_entries
from labsim.scenario.variant import seed_number

if TYPE_CHECKING:
    from labsim.endpoints.mqtt.voice import Style
    from labsim.endpoints.opcua.layout import Layout
    from labsim.endpoints.opcua.protection import Protection
    from labsim.lab.options import Options


def build_plant(scenario: Scenario, seed: str, clock: SimClock) -> Plant:
    """The scenario's devices over one store, joined by its flows, not yet started."""
    plant = join_devices(scenario, seed, clock)
    plant.veil(_known_truths(scenario, plant))
    return plant


def join_devices(plan: Scenario | PlantFile, seed: str, clock: SimClock) -> Plant:
    """The devices of a scenario or of a ready plant, joined by its flows."""
    plant = Plant(seed_number(seed), clock, crew=plan.crew)
    for path, device in plan.plant.items():
        kind = devices.load(device.type)
        sensors = {tag: sensor_of(kind.interface.sensors, tag, chain) for tag, chain in device.sensors.items()}
        plant.add(path, kind, device.settings, sensors)
    for flow in plan.flows:
        plant.connect(flow.source, flow.target, buffer=flow.buffer or 1)
    return plant


def _known_truths(scenario: Scenario, plant: Plant) -> set[str]:
    """Tags whose true values are recorded beside what is shown: those that a fault may concern or a check asks for.

    All that may happen at some seat counts, so that the folders of one exercise are alike.
    """
    found = {path.removesuffix(TRUE) for path in graded_tags(scenario) if path.endswith(TRUE)}
    for entry in all_entries(scenario.timeline):
        if entry.device is not None and entry.fault is not None:
            interface = plant.devices[entry.device].interface
            found |= set(concerned(interface, entry.device, entry.tag or "", entry.fault, entry.params))
    return found


def build_endpoints(
    scenario: Scenario,
    plant: Plant,
    options: Options,
    sink: Sink,
    guards: Sequence[Guard],
    history: LiveHistory | None = None,
) -> list[Endpoint]:
    """The scenario's endpoints, each behind its guard, not yet listening; ``history`` is what OPC UA clients may read.

    Imports only the protocols that the scenario uses.
    """
    specs = [endpoint.spec for endpoint in scenario.endpoints]
    wanted = [(_protocol(spec), spec.port) for spec in specs]
    for spec in specs:
        if isinstance(spec, MqttSpec):
            wanted += [("mqtt", port) for port in spec.further_ports]
    ports = endpoint_ports(wanted, options.port_base)
    further = iter(ports[len(specs) :])
    return [
        _mqtt(spec, plant, _style(spec, scenario), options, port, further, sink, guard)
        if isinstance(spec, MqttSpec)
        else _http(spec, plant, options.host, port, sink, guard)
        if isinstance(spec, HttpSpec)
        else _ntp(spec, plant, options.host, port, sink)
        if isinstance(spec, NtpSpec)
        else _endpoint(
            spec,
            plant,
            options.host,
            port,
            sink,
            guard,
            history,
            options.attempt / "certificates" / "modbus",
            _pki_folder(spec, scenario, options),
            scenario.folder,
        )
        for spec, port, guard in zip(specs, ports[: len(specs)], guards, strict=True)
    ]


def _protocol(spec: ModbusSpec | OpcuaSpec | MqttSpec | HttpSpec | NtpSpec) -> str:
    names = {ModbusSpec: "modbus", OpcuaSpec: "opcua", MqttSpec: "mqtt", HttpSpec: "http", NtpSpec: "ntp"}
    return names[type(spec)]


def _users(accounts: Sequence[Account]) -> tuple[User, ...]:
    return tuple(User(account.name, account.password, account.role) for account in accounts)


def _endpoint(
    spec: ModbusSpec | OpcuaSpec,
    plant: Plant,
    host: str,
    port: int,
    sink: Sink,
    guard: Guard,
    history: LiveHistory | None,
    certificates: Path,
    pki: Path,
    folder: Path,
) -> Endpoint:
    if isinstance(spec, ModbusSpec):
        from labsim.endpoints.modbus.endpoint import ModbusEndpoint

        return ModbusEndpoint(
            plant,
            spec.units,
            sink,
            host=host,
            port=port,
            unknown_unit=spec.unknown_unit,
            options=spec,
            certificates=certificates,
            guard=guard,
        )
    from labsim.endpoints.opcua.endpoint import OpcuaEndpoint

    protection = _protection(spec)
    return OpcuaEndpoint(
        plant,
        spec.devices,
        sink,
        host=host,
        port=port,
        users=_users(spec.users),
        anonymous=spec.anonymous,
        name=spec.name,
        history=history,
        pki=pki if protection.needs_folder else None,
        protection=protection,
        layout=_layout(spec, folder, plant.seed),
        guard=guard,
    )


def _ntp(spec: NtpSpec, plant: Plant, host: str, port: int, sink: Sink) -> Endpoint:
    from labsim.endpoints.ntp.endpoint import NtpEndpoint

    return NtpEndpoint(plant, spec.device, sink, host=host, port=port)


def _http(spec: HttpSpec, plant: Plant, host: str, port: int, sink: Sink, guard: Guard) -> Endpoint:
    from labsim.endpoints.http.endpoint import HttpEndpoint

    return HttpEndpoint(
        plant,
        spec.devices,
        sink,
        host=host,
        port=port,
        users=_users(spec.users),
        anonymous=spec.anonymous,
        guard=guard,
    )


def _layout(spec: OpcuaSpec, folder: Path, seed: int) -> Layout:
    from labsim.endpoints.opcua.layout import layout_of
    from labsim.endpoints.opcua.nodeset import load_nodeset

    return layout_of(
        f"{seed}/{spec.name}",
        draw_order=spec.namespaces == "drawn",
        ids=spec.node_ids,
        nodesets=[load_nodeset(folder / name) for name in spec.nodesets],
    )


def _pki_folder(spec: ModbusSpec | OpcuaSpec, scenario: Scenario, options: Options) -> Path:
    """Where an OPC UA server keeps certificates; several servers have a folder each."""
    several = sum(endpoint.opcua is not None for endpoint in scenario.endpoints) > 1
    folder = options.attempt / PKI
    return folder / spec.name if several and isinstance(spec, OpcuaSpec) else folder


def _protection(spec: OpcuaSpec) -> Protection:
    from labsim.endpoints.opcua.protection import Protection, codes_of, limits_of, security_of

    security = spec.security
    return Protection(
        security=security_of(security.offered),
        listed=security.trust == "list",
        suppressed=codes_of(security.suppress),
        plain_passwords=security.plain_passwords,
        certified=security.user_certificates,
        flaw=None if security.certificate == "good" else security.certificate,
        rights=spec.rights,
        limits=limits_of(spec.limits.model_dump(exclude_none=True)),
    )


def _style(spec: MqttSpec, scenario: Scenario) -> Style:
    from labsim.endpoints.mqtt.edge_node import NodeIdentity
    from labsim.endpoints.mqtt.voice import Style

    node = spec.sparkplug
    return Style(
        payload=spec.style,
        topic=spec.topic or "",
        commands=spec.commands or "",
        places={path: device.place for path, device in scenario.plant.items() if device.place is not None},
        node=NodeIdentity(node.group, node.edge, node.primary_host or "", node.alias) if node is not None else None,
    )


def _mqtt(
    spec: MqttSpec,
    plant: Plant,
    style: Style,
    options: Options,
    port: int,
    further: Iterator[int],
    sink: Sink,
    guard: Guard,
) -> Endpoint:
    if spec.broker is not None:
        from labsim.endpoints.mqtt.external import ExternalBroker

        return ExternalBroker(
            plant,
            spec.devices,
            sink,
            spec.broker,
            host=options.host,
            port=port,
            users=_users(spec.users),
            style=style,
            guard=guard,
        )
    from labsim.endpoints.mqtt.access import Rights
    from labsim.endpoints.mqtt.endpoint import MqttEndpoint
    from labsim.endpoints.mqtt.limits import Limits

    tls = None
    certified = tuple(account.name for account in spec.users if account.certificate)
    if spec.tls is not None or (spec.websocket is not None and spec.websocket.tls):
        from labsim.endpoints.mqtt.certificates import make_certificates, server_context

        folder = options.attempt / "certificates" / "mqtt"
        make_certificates(folder, options.host, certified)
        tls = server_context(folder, spec.tls.clients if spec.tls is not None else "none")
    rights = {account.name: Rights(account.publish, account.subscribe) for account in spec.users}
    if isinstance(spec.anonymous, TopicRights):
        rights[""] = Rights(spec.anonymous.publish, spec.anonymous.subscribe)
    return MqttEndpoint(
        plant,
        spec.devices,
        sink,
        host=options.host,
        port=port,
        users=_users(spec.users),
        anonymous=spec.anonymous is not False,
        acl=rights if any(right != Rights() for right in rights.values()) else None,
        certified=certified,
        limits=Limits(**spec.limits.model_dump(exclude_none=True)),
        tls=tls,
        tls_port=next(further) if spec.tls is not None else None,
        web_port=next(further) if spec.websocket is not None else None,
        web_tls=spec.websocket is not None and spec.websocket.tls,
        style=style,
        guard=guard,
    )


def nameplates(plant: Plant) -> dict[str, Nameplate]:
    """What stands on each device, as the attempt keeps it."""
    plates = {}
    for path, device in plant.devices.items():
        shown = device.interface.identification
        plates[path] = Nameplate(
            type=device.interface.type,
            manufacturer=shown.manufacturer,
            model=shown.model,
            revision=shown.revision,
            serial=device.serial,
            hardware_revision=shown.hardware_revision,
            device_revision=shown.device_revision,
        )
    return plates


def tag_infos(plant: Plant, graded: AbstractSet[str]) -> list[TagInfo]:
    """The plant's tags as the attempt folder describes them."""
    return [
        TagInfo(
            row=tag.row,
            path=tag.path,
            device=tag.device,
            name=tag.name,
            type=tag.type,
            unit=tag.unit.symbol if tag.unit else "",
            low=tag.low,
            high=tag.high,
            labels={value: dict(text) for value, text in tag.labels.items()},
            graded=tag.path in graded,
        )
        for tag in plant.store
    ]
