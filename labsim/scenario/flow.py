"""What flows between the devices of a plant, as scenarios and ready plants write it, and whether the ends fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from labsim.document import Document, KeyPath
from labsim.errors import did_you_mean
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.part import Part

_Port = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", examples=["fill1.parts_out"])]
MANY_TARGETS = ("power", "air", "water", "coolant", "signals")
"""Kinds of flow of which an outlet may have several; parts go one way."""


class FlowSpec(Part):
    """An outlet joined to an inlet, each written ``device.port``; ``buffer`` is how many parts stand between the two.

    Attributes:
        source: The outlet, as ``device.port``.
        target: The inlet, as ``device.port``.
        buffer: How many parts may stand between the two.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: _Port = Field(alias="from")
    target: _Port = Field(alias="to")
    buffer: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = None


def judge_flows(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Devices and ports at both ends, what they carry, and ends that are joined twice."""
    joined: dict[str, KeyPath] = {}
    for path, flow in document.each("flows", "*"):
        if not isinstance(flow, dict):
            continue
        ends = [_end(document, (*path, key), flow.get(key), way, plant, catalogue, known)
                for key, way in (("from", "out"), ("to", "in"))]  # fmt: skip
        source, target = ends
        if source and target and source != target:
            message = f"{flow['from']} carries {source} and {flow['to']} carries {target}."
            document.problem((*path, "to"), "bad-flow", message, "Join ports that carry the same.")
        if "buffer" in flow and (source or target or "parts") != "parts":
            document.problem((*path, "buffer"), "bad-flow", "only a flow of parts has a buffer.", "Delete it.")
        for key, carries in (("from", source), ("to", target)):
            if carries is None or (key == "from" and carries in MANY_TARGETS):
                continue
            if flow[key] in joined:
                line, _ = document.root.place(joined[flow[key]])
                message = f"{flow[key]} is joined already, on line {line}."
                document.problem((*path, key), "bad-flow", message, "A lane has two ends, and an inlet one supply.")
            joined.setdefault(flow[key], (*path, key))


def _end(
    document: Document,
    path: KeyPath,
    end: Any,
    way: str,
    plant: Mapping[str, str],
    catalogue: Catalogue | None,
    known: set[str],
) -> str | None:
    """What the port at ``end`` carries; None when that is not known or has been told."""
    if not isinstance(end, str) or end.count(".") != 1:
        return None  # told by the model
    device, _, port = end.partition(".")
    if device not in plant:
        near = did_you_mean(device, plant)
        document.problem(path, "unknown-device", f"the plant has no device {device!r}.", near)
        return None
    if catalogue is None or plant[device] not in known:
        return None
    ports = {
        name: carries for name, (its_way, carries) in catalogue.device_ports(plant[device]).items() if its_way == way
    }
    if port not in ports:
        near = did_you_mean(port, ports) or (f"It has {', '.join(ports)}." if ports else "")
        message = f"{device} is a {plant[device]}, which has no {way}let {port!r}."
        document.problem(path, "unknown-port", message, near)
    return ports.get(port)
