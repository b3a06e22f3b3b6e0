"""The plant and the endpoints of a scenario: the one place where scenario, devices and protocols meet."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import devices
from labsim.endpoints.endpoint import Endpoint, User
from labsim.evidence.event import Sink
from labsim.evidence.manifest import TagInfo
from labsim.lab.ports import endpoint_ports
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.scenario.model import Account, ModbusSpec, MqttSpec, OpcuaSpec, Scenario
from labsim.scenario.variant import seed_number

if TYPE_CHECKING:
    from labsim.lab.options import Options


def build_plant(scenario: Scenario, seed: str, clock: SimClock) -> Plant:
    """The scenario's devices over one store, not yet started."""
    plant = Plant(seed_number(seed), clock)
    for path, device in scenario.plant.items():
        plant.add(path, devices.load(device.type), device.settings)
    return plant


def build_endpoints(scenario: Scenario, plant: Plant, options: Options, sink: Sink) -> list[Endpoint]:
    """The scenario's endpoints, not yet listening. Imports only the protocols that the scenario uses."""
    specs = [endpoint.spec for endpoint in scenario.endpoints]
    ports = endpoint_ports([(_protocol(spec), spec.port) for spec in specs], options.port_base)
    return [_endpoint(spec, plant, options.host, port, sink) for spec, port in zip(specs, ports, strict=True)]


def _protocol(spec: ModbusSpec | OpcuaSpec | MqttSpec) -> str:
    return "modbus" if isinstance(spec, ModbusSpec) else "opcua" if isinstance(spec, OpcuaSpec) else "mqtt"


def _users(accounts: tuple[Account, ...]) -> tuple[User, ...]:
    return tuple(User(account.name, account.password, account.role) for account in accounts)


def _endpoint(spec: ModbusSpec | OpcuaSpec | MqttSpec, plant: Plant, host: str, port: int, sink: Sink) -> Endpoint:
    if isinstance(spec, ModbusSpec):
        from labsim.endpoints.modbus.endpoint import ModbusEndpoint

        return ModbusEndpoint(plant, spec.units, sink, host=host, port=port, unknown_unit=spec.unknown_unit)
    if isinstance(spec, OpcuaSpec):
        from labsim.endpoints.opcua.endpoint import OpcuaEndpoint

        return OpcuaEndpoint(
            plant,
            spec.devices,
            sink,
            host=host,
            port=port,
            users=_users(spec.users),
            anonymous=spec.anonymous,
            name=spec.name,
        )
    from labsim.endpoints.mqtt.endpoint import MqttEndpoint

    return MqttEndpoint(
        plant, spec.devices, sink, host=host, port=port, users=_users(spec.users), anonymous=spec.anonymous
    )


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
