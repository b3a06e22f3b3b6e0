"""One tag is one value: what OPC UA, Modbus and MQTT say of every tag of every device type at one instant."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from pathlib import Path

from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

import devices
from labsim.endpoints.mqtt.payload import device_payload
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.plant import status
from labsim.plant.companion import COMPANIONS, split_name
from labsim.plant.device import Device
from labsim.plant.register_spec import RegisterSpec
from labsim.plant.tags import INTEGER_RANGE, Value

KINDS = devices.names()
SHOWN = [kind for kind in KINDS if devices.interface(kind).opcua is not None]
MAPPED = [kind for kind in KINDS if devices.interface(kind).modbus is not None]
FORMAT = {"i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f", "f64": "d"}
STEPS = 80


def path(kind: str) -> str:
    """A device's name in the plant."""
    return kind.replace("-", "_")


def scenario(folder: Path) -> Path:
    """A lab with one device of each type; every one that can is on Modbus and on OPC UA."""
    folder.mkdir()
    plant = "".join(f"  {path(kind)}: {{type: {kind}}}\n" for kind in KINDS)
    units = ", ".join(f"{unit}: {path(kind)}" for unit, kind in enumerate(MAPPED, 1))
    (folder / "scenario.yaml").write_text(
        "labsim: 1\nid: everything\nlevel: junior\nminutes: 20\ncompetences: [NET-J1]\n"
        "title: {en: Everything, zh-Hant: 全部, zh-Hans: 全部}\n"
        f"plant:\n{plant}endpoints:\n  - modbus: {{port: 5020, units: {{{units}}}}}\n"
        f"  - opcua: {{port: 4840, devices: [{', '.join(map(path, SHOWN))}]}}\n"
        "tasks:\n  - id: read\n    title: {en: Read, zh-Hant: 讀取, zh-Hans: 读取}\n    marks: 1\n"
        "    checks:\n      - modbus.read: {device: tank, tags: [tank.level], marks: 1}\n",
        encoding="utf-8",
    )
    for language in ("en", "zh-Hant", "zh-Hans"):
        (folder / f"brief.{language}.md").write_text("# Everything\n", encoding="utf-8")
    return folder


async def test_every_protocol_says_the_same(tmp_path: Path) -> None:
    """With the plant frozen, each register, node and payload is the tag's value within what its type can tell."""
    options = Options(seed="one", attempt=tmp_path / "a", speed=20.0, port_base=0)
    async with Lab(scenario(tmp_path / "everything"), options) as lab:
        while lab.clock.step < STEPS:  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0)
        lab.instructor.pause()
        urls = {address["protocol"]: address["url"] for address in lab.addresses() if address["device"]}
        host, _, port = urls["modbus"].rpartition("//")[2].partition(":")
        master = AsyncModbusTcpClient(host, port=int(port))
        await master.connect()
        registers = 0
        for unit, kind in enumerate(MAPPED, 1):
            registers += await compare_registers(master, unit, lab.plant.devices[path(kind)])
        master.close()
        async with Client(urls["opcua"], timeout=60) as client:
            nodes = sum([await compare_nodes(client, lab.plant.devices[path(kind)]) for kind in SHOWN])
        for device in lab.plant.devices.values():
            compare_payload(device)
    assert registers > 400
    assert nodes > 900


async def compare_registers(master: AsyncModbusTcpClient, unit: int, device: Device) -> int:
    """Read each register by itself and decode it by the datasheet; how many were compared."""
    spec = device.interface.modbus
    assert spec is not None
    compared = 0
    for register in spec.registers:
        if register.tag is None:
            continue
        tag = device.tags[register.tag]
        if not status.is_good(int(device.store.status[tag.row])):
            continue
        functions = set(register.functions or (1, 2, 3, 4)) & set(spec.functions or (1, 2, 3, 4))
        address = register.doc - spec.numbering + int(device.settings.get("base_register", 0))
        match register.table:
            case "coil":
                answer = await master.read_coils(address, count=1, device_id=unit)
            case "discrete":
                answer = await master.read_discrete_inputs(address, count=1, device_id=unit)
            case "input":
                answer = await master.read_input_registers(address, count=register.size, device_id=unit)
            case _:
                read = master.read_holding_registers if 3 in functions else master.read_input_registers
                answer = await read(address, count=register.size, device_id=unit)
        where = f"{tag.path} at {register.table} {register.doc}"
        assert not answer.isError(), f"{where}: {answer}"
        value = device.shown(register.tag)
        if register.table in ("coil", "discrete"):
            assert answer.bits[0] == value, where
        elif isinstance(value, str):
            text = b"".join(word.to_bytes(2, "big") for word in answer.registers).rstrip(b"\0 ")
            assert value.encode()[: len(text)] == text, where
        else:
            check_number(register, answer.registers, device, value, where)
        compared += 1
    return compared


def check_number(register: RegisterSpec, words: list[int], device: Device, value: Value, where: str) -> None:
    """The number that a datasheet's reader gets is the tag's within half a digit of the register."""
    order = register.word_order or device.settings.get("word_order", "ABCD")
    body = [word.to_bytes(2, "big") for word in words]
    if order in ("CDAB", "DCBA"):
        body.reverse()
    if order in ("BADC", "DCBA"):
        body = [word[::-1] for word in body]
    (raw,) = struct.unpack(">" + FORMAT[register.type], b"".join(body))
    wanted = float(value) * register.scale + register.offset
    if register.effect == "command":
        assert raw == 0, where
    elif register.type in INTEGER_RANGE:
        low, high = INTEGER_RANGE[register.type]
        if register.overflow == "wrap":
            wanted = (round(wanted) - low) % (high - low + 1) + low
        assert abs(raw - min(max(wanted, low), high)) <= 0.5 + 1e-6 * abs(wanted), where
    else:
        assert math.isclose(raw, wanted, rel_tol=1e-6, abs_tol=1e-30), where


async def compare_nodes(client: Client, device: Device) -> int:
    """Find each node by its browse path and read it; how many were compared."""
    spec = device.interface.opcua
    assert spec is not None
    namespaces = await client.get_namespace_array()
    own = namespaces.index(spec.namespace)
    root = await folder_of(client, device.path)
    paths = [relative(root, place, own, namespaces) for place in spec.nodes]
    found = await client.uaclient.translate_browsepaths_to_nodeids(paths)
    for place, result in zip(spec.nodes, found, strict=True):
        assert result.StatusCode.is_good(), f"{device.path}/{place}: {result.StatusCode.name}"
    nodes = [client.get_node(result.Targets[0].TargetId) for result in found]
    values = await client.read_values(nodes)
    for (place, name), value in zip(spec.nodes.items(), values, strict=True):
        if status.is_good(int(device.store.status[device.tags[name].row])):
            assert value == device.shown(name), f"{device.path}/{place}"
    return len(values)


async def folder_of(client: Client, device: str) -> ua.NodeId:
    """The device's object below Machines or DeviceSet."""
    for folder in await client.nodes.objects.get_children():
        for child in await folder.get_children():
            if (await child.read_browse_name()).Name == device:
                return child.nodeid
    raise AssertionError(f"no object {device}")


def relative(root: ua.NodeId, place: str, own: int, namespaces: list[str]) -> ua.BrowsePath:
    """A browse path of an interface, with the server's own indexes."""
    elements = []
    for part in place.split("/"):
        prefix, name = split_name(part)
        index = namespaces.index(COMPANIONS[prefix]) if prefix else own
        elements.append(
            ua.RelativePathElement(
                ReferenceTypeId=ua.TwoByteNodeId(ua.ObjectIds.HierarchicalReferences),
                IsInverse=False,
                IncludeSubtypes=True,
                TargetName=ua.QualifiedName(name, index),
            )
        )
    return ua.BrowsePath(StartingNode=root, RelativePath=ua.RelativePath(Elements=elements))


def compare_payload(device: Device) -> None:
    """Each message says the values of its tags."""
    for message in device.interface.mqtt.messages if device.interface.mqtt is not None else ():
        said = json.loads(device_payload(device.store, [device.tags[name] for name in message.tags], "now"))["values"]
        assert {name: facts["value"] for name, facts in said.items()} == {
            name: device.shown(name) for name in message.tags
        }
