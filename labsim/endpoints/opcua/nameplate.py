"""Who a device is and how it is, as OPC 10000-100 (DI) and OPC 40001-1 (Machinery) lay it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
from asyncua import ua

from labsim.endpoints.opcua.core.building import (
    BASE_OBJECT,
    FOLDER,
    add_object,
    add_object_type,
    add_property,
    add_variable,
)
from labsim.endpoints.opcua.core.capabilities import OBJECTS
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_PROPERTY, ORGANIZES, Space
from labsim.endpoints.opcua.data_types import add_enumeration
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.seat import Seat
from labsim.endpoints.opcua.variables import OPTIONAL, declare
from labsim.plant.device import Device
from labsim.text import tr

VT = ua.VariantType
IDENTIFICATION, HEALTH = "Identification", "DeviceHealth"
_STRING, _LOCALIZED_TEXT, _INT32 = 12, 21, 6
_DEVICE_SET, _MACHINES = 5001, 1001
_FUNCTIONAL_GROUP, _HEALTH_TYPE, _MACHINE_IDENTIFICATION = 1005, 6244, 1012
_HEALTH = {
    0: tr("NORMAL", "NORMAL", "NORMAL"),
    1: tr("FAILURE", "FAILURE", "FAILURE"),
    2: tr("CHECK_FUNCTION", "CHECK_FUNCTION", "CHECK_FUNCTION"),
    3: tr("OFF_SPEC", "OFF_SPEC", "OFF_SPEC"),
    4: tr("MAINTENANCE_REQUIRED", "MAINTENANCE_REQUIRED", "MAINTENANCE_REQUIRED"),
}
"""DeviceHealthEnumeration after NAMUR NE 107 (OPC 10000-100 §4.5.4); the specification's own names in every language."""


def entry_point(space: Space, namespaces: Namespaces, folder: str) -> Key:
    """Where clients look for devices: DeviceSet (OPC 10000-100 §4.9), or Machines (OPC 40001-1 §9.2)."""
    machines = folder == "Machines"
    index = namespaces.companion("machinery" if machines else "di")
    key: Key = (index, _MACHINES if machines else _DEVICE_SET)
    if space.get(key) is None:
        add_object(
            space, key, (index, folder), OBJECTS, type_=FOLDER if machines else BASE_OBJECT, kind=ORGANIZES
        )  # fmt: skip
    return key


class Nameplate:
    """Builds Identification and DeviceHealth of devices.

    Args:
        space: Where.
        namespaces: For the index of DI.
    """

    def __init__(self, space: Space, namespaces: Namespaces) -> None:
        self._space, self._namespaces, self._di = space, namespaces, namespaces.companion("di")

    def add(
        self, key: tuple[int, str], parent: Key, folder: str, device: Device | None, ours: Callable[[Any], Any]
    ) -> None:
        """Add the group and what is in it.

        Args:
            key: Node of the group; properties are below it.
            parent: The device or its type.
            folder: ``DeviceSet`` or ``Machines``: a device of DI has the properties itself too.
            device: Whose they are; None declares them on a type.
            ours: Is told the key of each node, and gives it back.
        """
        machines = folder == "Machines"
        type_ = self._type("machinery", _MACHINE_IDENTIFICATION, "MachineIdentificationType") if machines else None
        type_ = type_ or self._type("di", _FUNCTIONAL_GROUP, "FunctionalGroupType")
        group = add_object(self._space, ours(key), (self._di, IDENTIFICATION), parent, type_=type_)
        if device is None:
            declare(group)
        for name, (data_type, value) in self._values(device, machines).items():
            child = ours((key[0], f"{key[1]}/{name}"))
            node = add_property(self._space, child, (self._di, name), key, data_type, value if device else None)
            if device is None:
                declare(node)
            if not machines:
                self._space.link(parent, HAS_PROPERTY, child)

    def _type(self, prefix: str, number: int, name: str) -> Key:
        index = self._namespaces.companion(prefix)
        key: Key = (index, number)
        if self._space.get(key) is None:
            add_object_type(self._space, key, (index, name), FOLDER)
        return key

    @staticmethod
    def _values(device: Device | None, machines: bool) -> dict[str, tuple[int, Any]]:
        """What a device says; an empty text and -1 where it has nothing to say (OPC 10000-100 §4.5.2)."""
        plate = device.interface.identification if device is not None else None
        path = device.path if device is not None else ""

        def serial(_locales: Locales, seat: Seat) -> Any:
            return ua.Variant(seat.device(path).serial, VT.String)

        def product(_locales: Locales, seat: Seat) -> Any:
            own = seat.device(path)
            named = own.interface.identification
            uri = f"urn:{quote(named.manufacturer)}:{quote(named.model)}:{quote(own.serial)}"
            return ua.Variant(uri, VT.String)

        texts = {
            "SoftwareRevision": plate.revision if plate else "",
            "HardwareRevision": plate.hardware_revision if plate else "",
            "DeviceRevision": plate.device_revision if plate else "",
        }
        if not machines:
            texts["DeviceManual"] = ""
        shown = {"Manufacturer": plate.manufacturer if plate else "", "Model": plate.model if plate else ""}
        found: dict[str, tuple[int, Any]] = {
            name: (_LOCALIZED_TEXT, ua.Variant(ua.LocalizedText(text), VT.LocalizedText))
            for name, text in shown.items()
        }
        found["SerialNumber"] = (_STRING, serial)
        found |= {name: (_STRING, ua.Variant(text, VT.String)) for name, text in texts.items()}
        found["ProductInstanceUri"] = (_STRING, product)
        return found if machines else found | {"RevisionCounter": (_INT32, ua.Variant(-1, VT.Int32))}

    def add_health(self, key: Key, parent: Key, device: Device | None) -> None:
        """DeviceHealth: FAILURE when a value is bad, OFF_SPEC when one is uncertain (OPC 10000-100 §4.5.4).

        Args:
            key: Its node.
            parent: The device or its type.
            device: Whose it is; None declares it on a type.
        """
        kind: Any = (self._di, _HEALTH_TYPE)
        if self._space.get(kind) is None:
            add_enumeration(self._space, kind, (self._di, "DeviceHealthEnumeration"), _HEALTH)
        if device is None:
            declare(add_variable(self._space, key, (self._di, HEALTH), parent, kind), OPTIONAL)
            return
        rows = [tag.row for tag in device.tags.values()]

        def health(_locales: Locales, seat: Seat) -> Any:
            worst = int(np.max(seat.plant.store.status[rows] >> 30)) if rows else 0
            return ua.Variant({0: 0, 1: 3}.get(worst, 1), VT.Int32)

        add_variable(self._space, key, (self._di, HEALTH), parent, kind, value=health)
