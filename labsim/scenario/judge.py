"""What no model can see alone: whether the parts of a scenario fit each other and what is installed.

Every rule looks at plain data and passes over what has the wrong shape, because the models have told that already; so one
mistake hides no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from labsim.document import Document, KeyPath
from labsim.errors import did_you_mean
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.fault_rules import judge_faults, judge_sensors
from labsim.scenario.fields import PLATE, TRUE, named_parts, nested_checks
from labsim.scenario.flow import judge_flows
from labsim.scenario.form import PENALTY_KEYS, TASK_KEYS
from labsim.scenario.listeners import judge_listeners
from labsim.scenario.probe_rules import judge_probes
from labsim.scenario.reach import judge_reach
from labsim.scenario.server_rules import judge_servers
from labsim.scenario.timeline import judged_entries
from labsim.scenario.topics import LEVELS, deepest_level, place_depth


def judge(document: Document, catalogue: Catalogue | None) -> None:
    """Note every problem of a document in the model's form."""
    plant = types_of(document)
    known = set(catalogue.device_types()) if catalogue is not None else set()
    judge_plant(document, plant, catalogue, known)
    judge_flows(document, plant, catalogue, known)
    judge_endpoints(document, plant, catalogue, known)
    judge_places(document)
    judge_timeline(document, plant, catalogue, known)
    judge_faults(document, plant, catalogue, known)
    judge_checks(document, plant, catalogue, known)
    judge_probes(document)
    judge_servers(document)
    judge_tasks(document)
    judge_reach(document)


def types_of(document: Document) -> dict[str, str]:
    """The type of each device of the plant; empty where it has none."""
    types = {str(path[1]): str(kind) for path, kind in document.each("plant", "*", "type") if isinstance(kind, str)}
    return {str(path[1]): types.get(str(path[1]), "") for path, _ in document.each("plant", "*")}


def judge_plant(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Device types, settings and their values, and sensor chains."""
    if catalogue is None or not known:
        return
    judge_sensors(document, plant, catalogue, known)
    for path, kind in document.each("plant", "*", "type"):
        if isinstance(kind, str) and kind not in known:
            near = did_you_mean(kind, known)
            document.problem(path, "unknown-device-type", f"there is no device type {kind!r}.", near)
    for path, value in document.each("plant", "*", "settings", "*"):
        if isinstance(path[3], str):  # a number as key is told by the model
            _setting(document, path, plant.get(str(path[1]), ""), path[3], value, catalogue, known)


def _setting(
    document: Document, path: KeyPath, kind: str, name: str, value: Any, catalogue: Catalogue, known: set[str]
) -> None:
    if kind not in known:
        return
    names = set(catalogue.device_settings(kind))
    if name not in names:
        message = f"a {kind} has no setting {name!r}."
        document.problem(path, "unknown-setting", message, did_you_mean(name, names), key=path[-1] == name)
        return
    why = catalogue.judge_setting(kind, name, value)
    if why:
        document.problem(path, "bad-setting", f"{name}: {why.rstrip('.')}.")


_DEVICES = {"modbus": "units", "opcua": "devices", "mqtt": "devices", "http": "devices", "ntp": "device"}
"""Where each protocol names its devices."""


def judge_endpoints(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Devices of endpoints, protocols, accounts, and what `listeners` tells."""
    for protocol, place in _DEVICES.items():
        below = (place,) if place == "device" else (place, "*")
        for path, device in document.each("endpoints", "*", protocol, *below):
            if not _device(document, path, device, plant) or catalogue is None or plant[device] not in known:
                continue
            kind, speaks = plant[device], list(catalogue.device_protocols(plant[device]))
            if protocol not in speaks:
                does = f"it speaks {' and '.join(speaks)}" if speaks else "it speaks no protocol"
                message = f"{device} is a {kind}, which does not speak {protocol}; {does}."
                document.problem(path, "wrong-protocol", message)
        for path, users in document.each("endpoints", "*", protocol, "users"):
            if isinstance(users, list):
                names = [(n, user.get("name")) for n, user in enumerate(users) if isinstance(user, dict)]
                _unique(document, [((*path, n, "name"), str(name)) for n, name in names if name is not None], "account")
    judge_listeners(document, plant, catalogue, known)


def judge_places(document: Document) -> None:
    """Whether each device of an MQTT endpoint stands where the templates of its topics want it."""
    places = {path[1]: place for path, place in document.each("plant", "*", "place") if isinstance(place, str)}
    for path, spec in document.each("endpoints", "*", "mqtt"):
        devices = spec.get("devices") if isinstance(spec, dict) else None
        for key in ("topic", "commands"):
            template = spec.get(key) if isinstance(devices, list) else None
            if not isinstance(template, str):
                continue
            level = deepest_level(template)
            for device in devices or ():
                if isinstance(device, str) and place_depth(places.get(device, "")) < level:
                    message = f"{device} has no {LEVELS[level - 1]}, which the topics {template!r} need."
                    hint = f"Give it a 'place' of {level} {'level' if level == 1 else 'levels'}: {'/'.join(LEVELS[:level])}."
                    document.problem((*path, key), "missing-place", message, hint)


def judge_timeline(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Devices and settings that the timeline changes; see `judge_faults` for the rest."""
    for path, entry in judged_entries(document):
        if "device" not in entry:
            continue
        found = _device(document, (*path, "device"), entry["device"], plant)
        name = entry.get("setting")
        if not found or catalogue is None or not isinstance(name, str) or plant[entry["device"]] not in known:
            continue
        if name not in set(catalogue.device_settings(plant[entry["device"]])):
            _setting(document, (*path, "setting"), plant[entry["device"]], name, None, catalogue, known)
        elif "value" in entry:
            _setting(document, (*path, "value"), plant[entry["device"]], name, entry["value"], catalogue, known)


def judge_checks(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Names and parameters of checks and penalties."""
    if catalogue is None:
        return
    names = set(catalogue.checks())
    for path, spec, own in _checks(document):
        name, params = spec.get("check"), spec.get("params")
        if names and isinstance(name, str) and isinstance(params, dict):
            _check(document, (*path, "check"), (*path, "params"), name, params, own, plant, catalogue, known, names)


def _check(
    document: Document,
    at_name: KeyPath,
    at: KeyPath,
    name: str,
    params: dict[str, Any],
    own: tuple[str, ...],
    plant: Mapping[str, str],
    catalogue: Catalogue,
    known: set[str],
    names: set[str],
) -> None:
    """One check and those inside it."""
    if name not in names:
        near = did_you_mean(name, names)
        document.problem(at_name, "unknown-check", f"there is no check {name!r}.", near, key=at_name == at)
        return
    model = catalogue.check_params(name)
    document.validate(model, params, at, also=own, called=name)
    for inside, inner, given in nested_checks(model, params):
        if isinstance(given, dict):
            here = (*at, *inside)
            _check(document, here, here, inner, given, (), plant, catalogue, known, names)
    for inside, kind, value in named_parts(model, params):
        place, (device, _, part) = (*at, *inside), value.partition(".")
        if kind != "device" and not part:
            continue  # not of the form, which the model has told
        if not _device(document, place, device, plant) or kind == "device" or plant[device] not in known:
            continue
        parts = set(_parts(catalogue, kind, plant[device]))
        if kind == "tag":
            part = part.removesuffix(TRUE)
        if part not in parts:
            message = f"{device} is a {plant[device]}, which has no {kind} {part!r}."
            document.problem(place, f"unknown-{kind}", message, did_you_mean(part, parts))


def _checks(document: Document) -> Iterator[tuple[KeyPath, dict[str, Any], tuple[str, ...]]]:
    """KeyPath, data and general keys of every check and penalty that has the shape of one."""
    for path, spec in document.each("tasks", "*", "checks", "*"):
        if isinstance(spec, dict):
            yield path, spec, TASK_KEYS
    for path, spec in document.each("penalties", "*"):
        if isinstance(spec, dict):
            yield path, spec, PENALTY_KEYS


def judge_tasks(document: Document) -> None:
    """Ids, dependencies, sums of marks and costs of hints."""
    tasks = [(path, task) for path, task in document.each("tasks", "*") if isinstance(task, dict)]
    task_ids = [((*path, "id"), task["id"]) for path, task in tasks if isinstance(task.get("id"), str)]
    check_ids = [((*path, "id"), spec["id"]) for path, spec, _ in _checks(document) if isinstance(spec.get("id"), str)]
    _unique(document, task_ids, "task")
    _unique(document, check_ids, "check")
    checks = [(path, spec) for path, spec, own in _checks(document) if "depends" in own]
    _dependencies(document, tasks, "task", {name for _, name in task_ids})
    _dependencies(document, checks, "check", {spec["id"] for _, spec in checks if isinstance(spec.get("id"), str)})
    for path, penalty in document.each("penalties", "*"):
        zero = penalty.get("zero") if isinstance(penalty, dict) else None
        known = {name for _, name in task_ids}
        if isinstance(zero, str) and zero not in known:
            message = f"there is no task {zero!r}."
            document.problem((*path, "zero"), "unknown-dependency", message, did_you_mean(zero, known))
    for path, task in tasks:
        _marks(document, path, task)


def _marks(document: Document, path: KeyPath, task: dict[str, Any]) -> None:
    marks, checks, hints = task.get("marks"), task.get("checks"), task.get("hints")
    if not _is_number(marks):
        return
    specs = checks if isinstance(checks, list) else []
    given = [spec["marks"] for spec in specs if isinstance(spec, dict) and _is_number(spec.get("marks"))]
    if given and len(given) == len(specs) and abs(sum(given) - marks) > 1e-9:
        message = f"marks: {marks:g} is not the sum of the checks' marks, which is {sum(given):g}."
        document.problem((*path, "marks"), "marks-sum", message)
    spent = 0.0
    for index, hint in enumerate(hints if isinstance(hints, list) else ()):
        cost = hint.get("cost", 0) if isinstance(hint, dict) else 0
        if not _is_number(cost):
            continue
        spent += cost
        if spent > marks >= spent - cost:
            sum_ = f"{cost:g}" if spent == cost else f"{cost:g}, with those before it {spent:g}"
            message = f"cost: this hint costs {sum_}, but the task is worth {marks:g}."
            document.problem((*path, "hints", index, "cost"), "hint-cost", message)


def _dependencies(document: Document, items: list[tuple[KeyPath, dict[str, Any]]], kind: str, known: set[str]) -> None:
    edges: dict[str, list[str]] = {}
    for path, item in items:
        names = item.get("depends")
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if not isinstance(name, str):
                continue
            if name not in known:
                near = did_you_mean(name, known)
                message = f"there is no {kind} {name!r}."
                document.problem((*path, "depends", index), "unknown-dependency", message, near)
            else:
                edges.setdefault(str(item.get("id")), []).append(name)
    ids = [str(item.get("id")) for _, item in items]
    for path, item in items if len(ids) == len(set(ids)) else ():
        circle = _circle(str(item.get("id")), edges)
        if circle:
            message = f"this {kind} waits for itself: {' → '.join(circle)}."
            document.problem((*path, "depends"), "dependency-cycle", message)
            return  # one circle at a time: mending it may mend the others


def _circle(start: str, edges: Mapping[str, list[str]]) -> list[str]:
    """A way along ``edges`` from ``start`` back to it; empty when there is none."""
    trail, seen = [(start, [start])], set()
    while trail:
        name, way = trail.pop()
        for after in edges.get(name, ()):
            if after == start:
                return [*way, start]
            if after not in seen:
                seen.add(after)
                trail.append((after, [*way, after]))
    return []


def _parts(catalogue: Catalogue, kind: str, device_type: str) -> Iterable[str]:
    """Names of the parts of a kind that a device type has."""
    match kind:
        case "alarm":
            return catalogue.device_alarms(device_type)
        case "method":
            return catalogue.device_methods(device_type)
        case "nameplate":
            return PLATE
    return catalogue.device_tags(device_type)


def _device(document: Document, path: KeyPath, name: Any, plant: Mapping[str, str]) -> bool:
    if isinstance(name, str) and name not in plant:
        document.problem(path, "unknown-device", f"the plant has no device {name!r}.", did_you_mean(name, plant))
    return isinstance(name, str) and name in plant


def _unique(document: Document, names: list[tuple[KeyPath, str]], kind: str) -> None:
    first: dict[str, KeyPath] = {}
    for path, name in names:
        by_author = document.root.at(path)[1] == len(path)  # an id by number repeats only with its task's
        if name in first and by_author:
            line, _ = document.root.place(first[name])
            message = f"the {kind} {name!r} stands twice; the first is on line {line}."
            document.problem(path, "duplicate-id", message, "Rename one.")
        first.setdefault(name, path)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
