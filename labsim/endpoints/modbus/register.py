"""One register of the map: as a client meets it, and bound to a device's tag."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from labsim.endpoints.modbus.coding import Coding, Raw
from labsim.errors import InputError
from labsim.plant.device import Device
from labsim.plant.register_spec import RegisterType, Table, WordOrder
from labsim.plant.tags import Access, Tag, TagType, Value
from labsim.text import Text


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One register of the map as a client meets it.

    Attributes:
        doc: The number in the vendor's manual.
        address: The address on the wire, 0 to 65535.
        table: Where it stands.
        size: Length in registers, 1 for a bit.
        tag: Name of the tag it shows, or None.
        constant: What it shows instead; ``{serial}`` stands for the device's serial number.
        tag_type: Type of the tag, None with a constant.
        unit: Symbol of the value's unit before scaling, "" for none.
        scale: Raw number = value * scale.
        word_order: Of a number of two or more registers, None where there is nothing to order.
        access: What a client may do: ``rw`` only where both the register and its tag are.
        together: First address and end of the run that is read as one, or None: itself, or its group.
        grouped: It is written with its group only.
        functions: The function codes that reach it, None for all of its table's.
        effect: What a write does.
    """

    doc: int
    address: int
    table: Table
    type: RegisterType
    size: int
    tag: str | None
    constant: Value | None
    tag_type: TagType | None
    unit: str
    scale: float
    word_order: WordOrder | None
    access: Access
    invalid: Literal["nan", "last", "sentinel", "refuse"] | int
    together: tuple[int, int] | None
    title: Text
    offset: float = 0.0
    wrap: bool = False
    grouped: bool = False
    functions: frozenset[int] | None = None
    effect: Literal["level", "edge", "command", "eeprom"] = "level"
    wear_tag: str | None = None
    wear_limit: int = 0

    @property
    def coding(self) -> Coding:
        """How its value becomes bytes."""
        return Coding(self.type, self.size, self.scale, self.word_order or "ABCD", self.offset, self.wrap)


class Register:
    """A `RegisterEntry` bound to the tag of one device.

    Attributes:
        entry: What the map says.
        coding: How its value becomes bytes.
        tag: The tag behind it, None for a constant.
        constant: The raw constant, filled in and coded; None with a tag.
        wear: The tag that counts the writes of an EEPROM register.
    """

    __slots__ = ("coding", "constant", "entry", "tag", "wear")

    def __init__(self, entry: RegisterEntry, device: Device) -> None:
        self.entry, self.coding = entry, entry.coding
        self.tag: Tag | None = device.tags[entry.tag] if entry.tag is not None else None
        self.wear: Tag | None = device.tags[entry.wear_tag] if entry.wear_tag is not None else None
        self.constant = None if entry.constant is None else self._fill(entry.constant, device)

    def _fill(self, constant: Value, device: Device) -> Raw:
        coding = replace(self.coding, scale=1.0, offset=0.0, wrap=False)
        if isinstance(constant, str) and self.entry.type != "text":
            digits = re.findall(r"[0-9]+", constant.replace("{serial}", device.serial))
            number = int(digits[-1]) if digits else -1
            if coding.present(number) != number:
                raise InputError(
                    f"{device.path}: register {self.entry.doc} is {self.entry.type} and cannot hold the serial number "
                    f"{device.serial!r}. Let 'serial' in the interface end in {{number}}."
                )
            return number
        if isinstance(constant, str):
            return coding.present(constant.replace("{serial}", device.serial))
        return int(bool(constant)) if self.entry.type == "bool" else coding.present(constant)
