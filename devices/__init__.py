"""Device types: one folder each, found by name in three grains.

`names` lists them without reading one, `interface` reads what one shows to the world, `load` imports its behaviour. A type
is a package with an ``interface.yaml`` beside its ``__init__.py``, which names its class: ``BEHAVIOUR = PowerMeter``. Other
distributions add theirs by an entry point of the group ``labsim.devices``: the type's name = the package. A type that
comes with labsim cannot be replaced that way.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from labsim.errors import InputError, UnknownNameError
from labsim.plant.interface import Interface, load_interface

if TYPE_CHECKING:
    from labsim.plant.plant import DeviceType

GROUP = "labsim.devices"
_HERE = Path(__file__).parent


def names() -> list[str]:
    """Names of all device types, sorted; imports none."""
    return sorted(_packages())


@cache
def interface(name: str) -> Interface:
    """The interface of a type, read once; imports no behaviour.

    Raises:
        UnknownNameError: no such type; says which is near.
        InputError: its ``interface.yaml`` is missing or has problems.
    """
    found = load_interface(_folder(name) / "interface.yaml")
    if found.type != name:
        raise InputError(f"the device type {name!r} calls itself {found.type!r} in its interface.yaml; use one name.")
    return found


@cache
def load(name: str) -> DeviceType:
    """A type with its behaviour; imports this one only.

    Raises:
        UnknownNameError: no such type; says which is near.
        InputError: its interface has problems, or its package has no ``BEHAVIOUR`` or cannot be imported.
    """
    from labsim.plant.device import Device
    from labsim.plant.plant import DeviceType

    shown = interface(name)
    package = _packages()[name]
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise InputError(f"the device type {name!r} cannot be imported from {package}: {error}.") from error
    behaviour = getattr(module, "BEHAVIOUR", None)
    if not (isinstance(behaviour, type) and issubclass(behaviour, Device)):
        raise InputError(f"{package} has no BEHAVIOUR; name the Device class of {name!r} there.")
    return DeviceType(shown, behaviour)


@cache
def _packages() -> dict[str, str]:
    """Package by type name."""
    ours = {
        path.parent.name.replace("_", "-"): f"{__name__}.{path.parent.name}" for path in _HERE.glob("*/interface.yaml")
    }
    return {entry.name: entry.value for entry in importlib.metadata.entry_points(group=GROUP)} | ours


def _folder(name: str) -> Path:
    packages = _packages()
    if name not in packages:
        raise UnknownNameError("device type", name, packages)
    try:
        spec = importlib.util.find_spec(packages[name])
    except ImportError as error:
        raise InputError(f"the device type {name!r} cannot be found: {error}.") from error
    if spec is None or spec.origin is None:
        raise InputError(f"the device type {name!r} should be in the package {packages[name]}, which is not installed.")
    return Path(spec.origin).parent
