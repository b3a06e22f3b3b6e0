"""The register map of a device: which tag stands at which wire address, and how.

`describe` is the map as a list, from the interface and the settings alone (the manual and the coach read it). `RegisterMap` is
the same list over a living device. A changed setting makes a new map; a map itself never changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import get_args

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.endpoints.modbus.register import Register, RegisterEntry
from labsim.endpoints.modbus.span import Span
from labsim.errors import InputError
from labsim.plant.device import Device
from labsim.plant.interface import Interface, ModbusSpec, RegisterSpec, Table, WordOrder
from labsim.plant.tags import TagStore, Value
from labsim.text import Text

_ADDRESSES = 0x10000
_SPANS = 512  # kept per map: what clients poll repeats, what a scanner tries does not
_TWIN: dict[Table, Table] = {"holding": "input", "input": "holding"}


def describe(interface: Interface, settings: Mapping[str, Value] | None = None) -> list[RegisterEntry]:
    """The register map of a device type, sorted by table and address; empty when the type does not speak Modbus.

    Args:
        interface: The type.
        settings: Current settings; the defaults where one is left out. ``base_register`` shifts all addresses,
            ``word_order`` orders every number that has no order of its own.

    Returns:
        One entry per register. One that ``base_register`` shifts out of the addresses cannot be reached and is left out.
    """
    spec = interface.modbus
    if spec is None:
        return []
    now = {name: setting.default for name, setting in interface.settings.items()} | dict(settings or {})
    base = int(now.get("base_register", 0))
    order: WordOrder = now.get("word_order", "ABCD")  # type: ignore[assignment]  # a choice of these by the loader's rules
    entries = [_entry(interface, spec, register, base, order) for register in spec.registers]
    entries.sort(key=lambda entry: (get_args(Table).index(entry.table), entry.address))
    return [entry for entry in entries if 0 <= entry.address <= _ADDRESSES - entry.size]


def _entry(
    interface: Interface, spec: ModbusSpec, register: RegisterSpec, base: int, order: WordOrder
) -> RegisterEntry:
    tag = interface.tags[register.tag] if register.tag is not None else None
    several = register.type != "text" and register.size > 1
    return RegisterEntry(
        doc=register.doc,
        address=register.doc - spec.numbering + base,
        table=register.table,
        type=register.type,
        size=register.size,
        tag=register.tag,
        constant=register.constant,
        tag_type=tag.type if tag else None,
        unit=(tag.unit or "") if tag else "",
        scale=register.scale,
        word_order=(register.word_order or order) if several else None,
        access="rw" if register.access == "rw" and tag is not None and tag.access == "rw" else "r",
        invalid=register.invalid,
        whole=register.atomic or spec.half_values == "refuse",
        title=register.title or (tag.title if tag else Text()),
    )


class RegisterMap:
    """The registers of one device, found by table and address.

    Raises:
        InputError: the device does not speak Modbus, or its serial number does not fit its register.
    """

    def __init__(self, device: Device, store: TagStore) -> None:
        spec = device.interface.modbus
        if spec is None:
            raise InputError(f"{device.path}: a {device.interface.type} does not speak Modbus; take it out of 'units'.")
        self.spec = spec
        self._store = store
        registers = [Register(entry, device) for entry in describe(device.interface, device.settings)]
        self._tables: dict[Table, list[Register]] = {}
        for table in get_args(Table):
            seen = (table, _TWIN.get(table)) if spec.same_tables else (table,)
            found = [register for register in registers if register.entry.table in seen]
            self._tables[table] = sorted(found, key=lambda register: register.entry.address)
        self._starts = {table: [r.entry.address for r in found] for table, found in self._tables.items()}
        self._spans: dict[tuple[Table, int, int], Span] = {}

    def span(self, table: Table, address: int, count: int) -> Span:
        """What lies on ``count`` registers (or bits) from ``address``.

        Raises:
            ModbusError: 02, one of them is not there.
        """
        key = (table, address, count)
        span = self._spans.get(key)
        if span is None:
            span = Span(self._store, self._cover(table, address, address + count), address, count)
            if len(self._spans) >= _SPANS:
                self._spans.clear()
            self._spans[key] = span
        return span

    def _cover(self, table: Table, address: int, end: int) -> list[Register]:
        registers, found, here = self._tables[table], [], address
        index = bisect_right(self._starts[table], address) - 1
        while here < end:
            entry = registers[index].entry if 0 <= index < len(registers) else None
            if entry is None or not entry.address <= here < entry.address + entry.size:
                raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
            found.append(registers[index])
            here, index = entry.address + entry.size, index + 1
        return found
