"""The register map of a device: which tag stands at which wire address, and how.

`describe` is the map as a list, from the interface and the settings alone (the manual and the coach read it). `RegisterMap` is
the same list over a living device. A changed setting makes a new map; a map itself never changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from labsim.endpoints.modbus.exception import ModbusError
from labsim.endpoints.modbus.register import Register, RegisterEntry
from labsim.endpoints.modbus.span import Span
from labsim.errors import InputError
from labsim.plant.condition import Condition
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.register_spec import ModbusSpec, RegisterSpec, Table, WordOrder
from labsim.plant.tags import TagStore, Value
from labsim.text import Text

_ADDRESSES = 0x10000
_SPANS = 512  # kept per map: what clients poll repeats, what a scanner tries does not
_TWIN: dict[Table, Table] = {"holding": "input", "input": "holding"}
_BIT_TWIN: dict[Table, Table] = {"coil": "discrete", "discrete": "coil"}
Place = str
"""A table, or ``file N``."""


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
    entries = _entries(interface, spec, spec.registers, base - spec.numbering, order)
    entries.sort(key=lambda entry: (get_args(Table).index(entry.table), entry.address))
    return [entry for entry in entries if 0 <= entry.address <= _ADDRESSES - entry.size]


def _entries(
    interface: Interface, spec: ModbusSpec, registers: Sequence[RegisterSpec], shift: int, order: WordOrder
) -> list[RegisterEntry]:
    groups: dict[str, tuple[int, int]] = {}
    for register in registers:
        if register.group is not None:
            start = register.doc + shift
            low, high = groups.get(register.group, (start, start))
            groups[register.group] = min(low, start), max(high, start + register.size)
    return [_entry(interface, spec, register, register.doc + shift, order, groups) for register in registers]


def _entry(
    interface: Interface,
    spec: ModbusSpec,
    register: RegisterSpec,
    address: int,
    order: WordOrder,
    groups: Mapping[str, tuple[int, int]],
) -> RegisterEntry:
    tag = interface.tags[register.tag] if register.tag is not None else None
    several = register.type != "text" and register.size > 1
    together = (address, address + register.size) if register.atomic or spec.half_values == "refuse" else None
    return RegisterEntry(
        doc=register.doc,
        address=address,
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
        together=groups[register.group] if register.group is not None else together,
        title=register.title or (tag.title if tag else Text()),
        offset=register.offset,
        wrap=register.overflow == "wrap",
        grouped=register.group is not None,
        functions=frozenset(register.functions) if register.functions is not None else None,
        effect=register.effect,
        wear_tag=register.wear_tag,
        wear_limit=register.wear_limit,
    )


_REVERSED: dict[WordOrder, WordOrder] = {"ABCD": "CDAB", "CDAB": "ABCD", "BADC": "DCBA", "DCBA": "BADC"}


def _disturbed(entry: RegisterEntry, condition: Condition) -> RegisterEntry:
    """A register as a device in some condition has it: moved, or with its words in the reverse order."""
    if condition.swapped and entry.word_order is not None:
        entry = replace(entry, word_order=_REVERSED[entry.word_order])
    if not condition.moved:
        return entry
    together = entry.together
    if together is not None:
        together = together[0] + condition.moved, together[1] + condition.moved
    return replace(entry, address=entry.address + condition.moved, together=together)


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
        entries = (_disturbed(entry, device.condition) for entry in describe(device.interface, device.settings))
        registers = [Register(entry, device) for entry in entries if 0 <= entry.address <= _ADDRESSES - entry.size]
        self._tables: dict[Place, list[Register]] = {}
        for table in get_args(Table):
            seen = {table}
            if spec.same_tables:
                seen.add(_TWIN.get(table, table))
            if spec.same_bits:
                seen.add(_BIT_TWIN.get(table, table))
            self._tables[table] = [register for register in registers if register.entry.table in seen]
        order: WordOrder = device.settings.get("word_order", "ABCD")  # type: ignore[assignment]  # as in `describe`
        for number, file in spec.files.items():
            records = _entries(device.interface, spec, file, 0, order)
            self._tables[f"file {number}"] = [Register(entry, device) for entry in records]
        for found in self._tables.values():
            found.sort(key=lambda register: register.entry.address)
        self._starts = {place: [r.entry.address for r in found] for place, found in self._tables.items()}
        self._spans: dict[tuple[Place, int, int], Span] = {}
        self._device = device

    def span(self, place: Place, address: int, count: int) -> Span:
        """What lies on ``count`` registers (or bits) from ``address`` of a table, or on those records of a file.

        Raises:
            ModbusError: 02 by the standard, one of them is not there.
        """
        key = (place, address, count)
        span = self._spans.get(key)
        if span is None:
            span = Span(self._store, self._cover(place, address, address + count), address, count)
            if len(self._spans) >= _SPANS:
                self._spans.clear()
            self._spans[key] = span
        return span

    def _cover(self, place: Place, address: int, end: int) -> list[Register]:
        registers, found, here = self._tables.get(place, []), [], address
        index = bisect_right(self._starts.get(place, []), address) - 1
        while here < end:
            entry = registers[index].entry if 0 <= index < len(registers) else None
            if entry is not None and entry.address <= here < entry.address + entry.size:
                found.append(registers[index])
                here, index = entry.address + entry.size, index + 1
                continue
            after = index if entry is not None and entry.address > here else index + 1
            if self.spec.holes == "refuse" or not 0 < after < len(registers):
                raise ModbusError(self.spec.exceptions.address)
            found.append(self._filler(registers[after].entry, here))
            here, index = here + 1, after if registers[after].entry.address == here + 1 else after - 1
        return found

    def _filler(self, like: RegisterEntry, address: int) -> Register:
        """A register of the gap before ``like``: it reads 0."""
        bit = like.type == "bool"
        return Register(
            replace(
                like, doc=0, address=address, type="bool" if bit else "u16", size=1, tag=None, constant=0, tag_type=None,
                word_order=None, access="r", together=None, grouped=False, functions=None, effect="level", wear_tag=None,
            ),
            self._device,
        )  # fmt: skip
