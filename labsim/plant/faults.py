"""Faults of a plant in force: what is wrong with which tag or device.

A fault begins and ends when somebody says so; who that is, and for how long, is not the plant's affair. It is an input like a
client's write: the same beginning in the same step has the same effect, bit for bit, because chance is drawn from the seed and
the number of the fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.alarms import Alarms
from labsim.plant.device import Device
from labsim.plant.fault_spec import FaultSpec
from labsim.plant.fault_table import DEVICE_FAULTS, SWITCH_FAULTS, VALUE_FAULTS
from labsim.plant.generators import named_generator
from labsim.plant.interface import Interface
from labsim.plant.tags import Tag, TagStore, TagType
from labsim.plant.value_faults import MAKERS, Onset, dead, wrong_clock
from labsim.plant.veil import Veil

Parameters = Mapping[str, float | str]
_CLOCKS = ("clock-skew", "clock-jump")


def faults_of_tag(kind: TagType) -> Mapping[str, FaultSpec]:
    """The faults that a tag of a type may have."""
    if kind == "text":
        return {}
    return {name: VALUE_FAULTS[name] for name in SWITCH_FAULTS} if kind == "bool" else VALUE_FAULTS


def faults_of_device(interface: Interface) -> Mapping[str, FaultSpec]:
    """The faults that a device of a type may have: those of any device and its own."""
    return {**DEVICE_FAULTS, **interface.faults}


def faults_of(interface: Interface, tag: str) -> Mapping[str, FaultSpec]:
    """The faults of a tag, or with "" of the device itself.

    Raises:
        UnknownNameError: it has no such tag.
    """
    if not tag:
        return faults_of_device(interface)
    if tag not in interface.tags:
        raise UnknownNameError("tag", tag, interface.tags)
    return faults_of_tag(interface.tags[tag].type)


def parse_fault(
    interface: Interface, tag: str, name: str, given: Mapping[str, Any], path: str = ""
) -> dict[str, float | str]:
    """The parameters of a fault, complete; an error calls the device ``path``, or by its type.

    Raises:
        UnknownNameError: no such tag, fault or parameter.
        InputError: a value that a parameter does not take.
    """
    known = faults_of(interface, tag)
    if name not in known:
        device = path or f"a {interface.type}"
        raise UnknownNameError(f"fault of {f'{tag} of ' if tag else ''}{device}", name, known)
    parsed = known[name].parse(given)
    for parameter, spec in known[name].parameters.items():
        if spec.of == "tag":
            other = str(parsed.get(parameter, ""))
            usable = [one for one, its in interface.tags.items() if its.type != "text" and one != tag]
            if other not in usable:
                if not other:
                    raise InputError(f"the fault {name!r} needs {parameter!r}: the name of another tag.")
                raise UnknownNameError(f"tag to be {name} with", other, usable)
    return parsed


def concerned(interface: Interface, path: str, tag: str, name: str, parameters: Parameters) -> list[str]:
    """Paths of the tags that show something else than the truth while a fault is in force."""
    if not tag:
        generic = name not in interface.faults and name in ("dead", "stale", *_CLOCKS)
        return [f"{path}.{one}" for one in interface.tags] if generic else []
    others = [
        parameters[key] for key, spec in VALUE_FAULTS[name].parameters.items() if spec.of == "tag" and key in parameters
    ]
    return [f"{path}.{tag}", *(f"{path}.{other}" for other in others)]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in force."""

    number: int
    device: str
    tag: str
    name: str
    parameters: Parameters
    begun_ns: int

    def skew_ns(self, now_ns: int) -> int:
        """How far a wrong clock is ahead."""
        drifted = float(self.parameters.get("rate", 0.0)) / 3600 * (now_ns - self.begun_ns)
        return round(float(self.parameters["by"]) * 1e9 + drifted)


class Faults:
    """What is wrong in one plant.

    Args:
        seed: The plant's.
        store: Its tags.
        veil: What lies over them.
        devices: Its devices.
        alarms: Its alarms.
    """

    def __init__(
        self, seed: int, store: TagStore, veil: Veil, devices: Mapping[str, Device], alarms: Alarms
    ) -> None:  # fmt: skip
        self._seed, self._store, self._veil = seed, store, veil
        self._devices, self._alarms = devices, alarms
        self._running: dict[int, Fault] = {}
        self._wrong_clocks: set[str] = set()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._running.values())

    def __len__(self) -> int:
        return len(self._running)

    def split(self, path: str) -> tuple[Device, str]:
        """The device and the tag (or "") that a path names.

        Raises:
            UnknownNameError: there is none.
        """
        name, _, tag = path.partition(".")
        if name not in self._devices:
            raise UnknownNameError("device", name, self._devices)
        if tag and tag not in self._devices[name].tags:
            raise UnknownNameError(f"tag of {name}", tag, self._devices[name].tags)
        return self._devices[name], tag

    def parse(self, path: str, name: str, given: Mapping[str, Any]) -> dict[str, float | str]:
        """The parameters of a fault of a device or a tag, complete; raises as `parse_fault`."""
        device, tag = self.split(path)
        return parse_fault(device.interface, tag, name, given, device.path)

    def begin(self, number: int, path: str, name: str, parameters: Parameters) -> None:
        """Begin a fault between two steps.

        Args:
            number: Its number, by which it ends; none in force has it.
            path: ``device`` or ``device.tag``.
            name: What happens.
            parameters: From `parse`.
        """
        assert number not in self._running
        device, tag = self.split(path)
        fault = self._running[number] = Fault(number, device.path, tag, name, dict(parameters), self._store.now_ns)
        if tag:
            self._veil.effects[number] = MAKERS[name](self._onset(fault, VALUE_FAULTS[name]))
        elif name in device.interface.faults:
            device.begin_fault(name, {key: float(value) for key, value in parameters.items()})
        else:
            self._begin_generic(fault, device)

    def end(self, number: int) -> None:
        """End a fault; nothing when it is not in force."""
        fault = self._running.pop(number, None)
        if fault is None:
            return
        self._veil.effects.pop(number, None)
        device = self._devices[fault.device]
        if not fault.tag and fault.name in device.interface.faults:
            others = [
                one
                for one in self._running.values()
                if (one.device, one.tag, one.name) == (device.path, "", fault.name)
            ]
            if others:
                device.begin_fault(fault.name, {key: float(value) for key, value in others[-1].parameters.items()})
            else:
                device.end_fault(fault.name)
        elif not fault.tag:
            self._condition(device)

    def apply(self) -> None:
        """Show what is to be shown after a step of the devices."""
        for path in self._wrong_clocks:
            clocks = [one for one in self._running.values() if one.device == path and self._is_clock(one)]
            self._devices[path].condition.skew_ns = sum(one.skew_ns(self._store.now_ns) for one in clocks)
        self._veil.apply()

    def _is_clock(self, fault: Fault) -> bool:
        return (
            not fault.tag and fault.name in _CLOCKS and fault.name not in self._devices[fault.device].interface.faults
        )

    def _onset(self, fault: Fault, spec: FaultSpec) -> Onset:
        interface = self._devices[fault.device].interface
        at = self._veil.columns(concerned(interface, fault.device, fault.tag, fault.name, fault.parameters))
        tags = [self._store[f"{fault.device}.{fault.tag}"]] * len(at)
        shares = {key: one.share for key, one in spec.parameters.items() if one.share is not None}
        numbers = {key: value for key, value in fault.parameters.items() if not isinstance(value, str)}
        return Onset(
            at, self._veil.shown(at), self._veil.true(at), *_ranges(tags), self._random(fault), self._store.now_ns, numbers,
            shares,
        )  # fmt: skip

    def _random(self, fault: Fault) -> np.random.Generator:
        return named_generator(f"{self._seed}/fault {fault.number}")

    def _begin_generic(self, fault: Fault, device: Device) -> None:
        paths = concerned(device.interface, device.path, "", fault.name, fault.parameters)
        number = {key: float(value) for key, value in fault.parameters.items()}
        if fault.name == "dead":
            self._veil.effects[fault.number] = dead(self._veil.columns(paths))
        elif fault.name == "stale":
            at = self._veil.columns(paths)
            shown = self._veil.shown(at)
            nowhere = np.full(len(at), np.nan)
            onset = Onset(at, shown, shown, nowhere, nowhere, self._random(fault), self._store.now_ns, number, {})
            self._veil.effects[fault.number] = MAKERS["stale"](onset)
        elif fault.name in _CLOCKS:
            self._veil.effects[fault.number] = wrong_clock(self._veil.columns(paths), fault.skew_ns)
        self._condition(device)

    def _condition(self, device: Device) -> None:
        """Let the condition of a device be what the faults in force make of it."""
        path, now = device.path, device.condition
        found = {one.name: one.parameters for one in self._running.values() if one.device == path and not one.tag}
        own = device.interface.faults
        found = {name: parameters for name, parameters in found.items() if name not in own}
        now.skew_ns = 0
        (self._wrong_clocks.add if set(_CLOCKS) & found.keys() else self._wrong_clocks.discard)(path)
        before = (now.swapped, now.moved)
        now.dead = "" if "dead" not in found else "silent" if found["dead"]["silent"] else "gateway"
        slow = found.get("slow", {})
        now.delay_s, now.jitter_s = float(slow.get("delay", 0)), float(slow.get("jitter", 0))
        now.swapped, now.moved = "word-swap" in found, int(float(found.get("map-moved", {}).get("by", 0)))
        if now.dead:
            self._store.unreachable[path] = status.BAD_NO_COMMUNICATION
        else:
            self._store.unreachable.pop(path, None)
        stalled, flooding = self._alarms.stalled, self._alarms.flooding
        (stalled.add if {"alarm-stall", "dead"} & found.keys() else stalled.discard)(path)
        if "alarm-flood" in found:
            flooding[path] = round(1e9 / float(found["alarm-flood"]["rate"]))
        else:
            flooding.pop(path, None)
        if before != (now.swapped, now.moved):
            device.changed()


def _ranges(tags: Sequence[Tag]) -> tuple[Any, Any]:
    ends = [(0.0, 1.0) if tag.type == "bool" else (tag.low, tag.high) for tag in tags]
    low, high = zip(*ends, strict=True)
    return np.array(low, float), np.array(high, float)
