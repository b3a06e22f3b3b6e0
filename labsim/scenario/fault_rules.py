"""Whether the faults, conditions and links of a timeline and the sensor chains of a plant are of something that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from labsim.document import Document, KeyPath
from labsim.errors import did_you_mean
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.link import link_names
from labsim.scenario.model import EndpointSpec
from labsim.scenario.timeline import FAULT_KEYS, judged_entries


def judge_faults(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Links, endpoints, tags and faults of the timeline, and the parameters of the faults."""
    links = links_of(document)
    for path, entry in judged_entries(document):
        for kind in ("link", "endpoint", "rogue"):
            if isinstance(entry.get(kind), str) and links and entry[kind] not in links:
                _unknown_link(document, (*path, kind), entry[kind], links)
        when = entry.get("when")
        if isinstance(when, dict) and isinstance(when.get("tag"), str):
            device, _, tag = when["tag"].partition(".")
            there = _tag_of(document, (*path, "when", "tag"), device, tag, plant, catalogue, known)
            judged = there and plant[device] in known
            if judged and catalogue is not None and not list(catalogue.device_faults(plant[device], tag)):
                # only a text has none
                document.problem((*path, "when", "tag"), "bad-value", f"{tag} is a text; a condition needs a number.")
        if catalogue is None or not isinstance(entry.get("fault"), str):
            continue
        params = entry.get("params")
        given = params if isinstance(params, dict) else {}
        device, endpoint, rogue = entry.get("device"), entry.get("endpoint"), entry.get("rogue")
        if isinstance(device, str) and plant.get(device, "") in known:
            tag = entry.get("tag")
            if isinstance(tag, str) and not _tag_of(document, (*path, "tag"), device, tag, plant, catalogue, known):
                continue
            kind, what = plant[device], tag if isinstance(tag, str) else ""
            names = list(catalogue.device_faults(kind, what))
            place = f"{device}.{what}" if what else f"{device}, a {kind},"
            of_tags = {one for tag in catalogue.device_tags(kind) for one in catalogue.device_faults(kind, tag)}
            hint = "A fault of one value needs the 'tag' it is of." if not what and entry["fault"] in of_tags else ""
            if _fault(document, path, entry["fault"], names, place, hint):
                why = catalogue.judge_fault(kind, what, entry["fault"], given)
                _params(document, path, why, catalogue.fault_params(kind, what, entry["fault"]))
        elif isinstance(endpoint, str) and endpoint in links:
            protocol = endpoint.partition(".")[0].partition(":")[0]
            names = list(catalogue.endpoint_faults(protocol))
            if _fault(document, path, entry["fault"], names, f"the endpoint {endpoint}"):
                why = catalogue.judge_endpoint_fault(protocol, entry["fault"], given)
                _params(document, path, why, catalogue.endpoint_fault_params(protocol, entry["fault"]))
        elif isinstance(rogue, str) and rogue in links:
            protocol = rogue.partition(".")[0].partition(":")[0]
            names = list(catalogue.rogue_faults(protocol))
            if _fault(document, path, entry["fault"], names, f"a rogue client at {rogue}"):
                named = catalogue.rogue_fault_params(protocol, entry["fault"])
                _params(document, path, catalogue.judge_rogue_fault(protocol, entry["fault"], given), named)
                for name, what in named.items():
                    if what and isinstance(given.get(name), str):
                        _victim(document, (*path, "params", name), what, given[name], plant, catalogue, known)


def _victim(
    document: Document, path: KeyPath, what: str, name: str, plant: Mapping[str, str], catalogue: Catalogue, known: set[str]
) -> None:  # fmt: skip
    """The tag or the device that a rogue client is after."""
    device, _, tag = name.partition(".")
    if what == "tag":
        _tag_of(document, path, device, tag, plant, catalogue, known)
    elif name not in plant:
        document.problem(path, "unknown-device", f"the plant has no device {name!r}.", did_you_mean(name, plant))


def judge_sensors(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Tags and stages of the sensor chains that a plant gives its devices."""
    if catalogue is None:
        return
    for path, chain in document.each("plant", "*", "sensors", "*"):
        device, tag = str(path[1]), path[3]
        if plant.get(device, "") not in known or not isinstance(tag, str):
            continue
        if _tag_of(document, path, device, tag, plant, catalogue, known, key=True):
            why = catalogue.judge_sensor(plant[device], tag, chain)
            if why:
                document.problem(path, "bad-sensor", f"{tag}: {why}")


def links_of(document: Document) -> dict[str, int]:
    """Names of the endpoints' links; none when an endpoint has no shape, which the models have told."""
    endpoints = []
    for _, raw in document.each("endpoints", "*"):
        try:
            spec = EndpointSpec.model_validate(raw)
        except ValidationError:
            return {}
        endpoints.append((spec.protocol, spec.spec.port))
    return link_names(endpoints)


def _unknown_link(document: Document, path: KeyPath, name: str, links: Mapping[str, int]) -> None:
    several = [other for other in links if other.startswith(f"{name}.")]
    near = f"There are several: write {' or '.join(several)}." if several else did_you_mean(name, links)
    document.problem(path, "unknown-link", f"there is no endpoint {name!r}.", near)


def _tag_of(
    document: Document, path: KeyPath, device: str, tag: str, plant: Mapping[str, str], catalogue: Catalogue | None,
    known: set[str], *, key: bool = False,
) -> bool:  # fmt: skip
    """Whether a device has a tag; True also where that cannot be judged."""
    if device not in plant:
        document.problem(path, "unknown-device", f"the plant has no device {device!r}.", did_you_mean(device, plant))
        return False
    if catalogue is None or plant[device] not in known:
        return True
    tags = set(catalogue.device_tags(plant[device]))
    if tag not in tags:
        message = f"{device} is a {plant[device]}, which has no tag {tag!r}."
        document.problem(path, "unknown-tag", message, did_you_mean(tag, tags), key=key)
    return tag in tags


def _fault(document: Document, path: KeyPath, name: str, names: list[str], place: str, hint: str = "") -> bool:
    if name not in names:
        near = hint or (did_you_mean(name, names) if names else "")
        document.problem((*path, "fault"), "unknown-fault", f"{place} has no fault {name!r}.", near)
    return name in names


def _params(document: Document, path: KeyPath, found: Iterable[tuple[str, str]], names: Iterable[str]) -> None:
    names = list(names)
    for name, why in found:
        place = (*path, "params", name) if name else (*path, "fault")
        if name and name not in names:
            near = did_you_mean(name, [*names, *FAULT_KEYS])
            takes = f"It takes {', '.join(names)}." if names else "It takes no parameters."
            document.problem(place, "unknown-key", f"the fault has no parameter {name!r}.", near or takes, key=True)
        else:
            document.problem(place, "bad-value", why)
