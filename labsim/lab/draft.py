"""A new scenario: a small lab that is whole from the first minute, for an author to change.

It has two tasks over one protocol, a briefing in three languages, a solution and a wrong answer, so that ``labsim lint`` and
``labsim test`` have something to say at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined

import devices
from labsim.endpoints.modbus.register import RegisterEntry
from labsim.endpoints.modbus.register_map import describe
from labsim.errors import InputError
from labsim.plant.interface import Interface
from labsim.text import LANGUAGES, Text, tr

Protocol = Literal["modbus", "opcua", "mqtt"]
PROTOCOLS: tuple[Protocol, ...] = ("modbus", "opcua", "mqtt")
DEVICE = "machine1"
_NAMES = {"modbus": "Modbus", "opcua": "OPC UA", "mqtt": "MQTT"}
_TITLE = tr("{device} over {protocol}", "通過 {protocol} 讀取{device}", "通过 {protocol} 读取{device}")
_FORMATS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q", "f64": "d"}
_FUNCTIONS = {"holding": (3, "read_holding_registers"), "input": (4, "read_input_registers")}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new scenario is to be.

    Attributes:
        id: Its id and the name of its folder.
        title: Its title; languages that it lacks say which device it is about.
        device: A device type.
        protocol: What the trainee speaks with it.
        level: junior, intermediate or senior.
        minutes: How long it is meant to take.
    """

    id: str
    title: Text
    device: str = "power-meter"
    protocol: Protocol = "modbus"
    level: str = "junior"
    minutes: int = 30


def write_draft(draft: Draft, folder: Path) -> list[Path]:
    """Write the files of a new scenario; their paths.

    Raises:
        InputError: the folder is there already, or the device has nothing to read over that protocol.
        UnknownNameError: there is no such device type.
    """
    interface = devices.interface(draft.device)
    facts = _facts(draft, interface)
    if folder.exists():
        raise InputError(f"{folder} is there already: choose another id, or another place with --folder.")
    environment = Environment(  # noqa: S701 - what is made is YAML, Markdown and Python, not HTML
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = _quoted
    made = {
        "scenario.yaml": "scenario.yaml",
        "solution.py": f"solution_{draft.protocol}.py",
        "wrong/reports_nonsense.py": "wrong.py",
    }
    made |= {f"brief.{lang}.md": f"brief.{lang}.md" for lang in LANGUAGES}
    texts = {folder / name: environment.get_template(template).render(facts) for name, template in made.items()}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _facts(draft: Draft, interface: Interface) -> dict[str, Any]:
    if draft.protocol not in interface.protocols:
        speaks = ", ".join(p for p in interface.protocols if p in PROTOCOLS)
        raise InputError(f"a {draft.device} does not speak {draft.protocol}; it speaks {speaks or 'none of ours'}.")
    facts = next(_candidates(draft.protocol, interface), None)
    if facts is None:
        raise InputError(
            f"a {draft.device} has no measured number to read over {draft.protocol}: choose another device."
        )
    spec = interface.tags[facts["tag"]]
    general = _TITLE.format(device=interface.title, protocol=_NAMES[draft.protocol])
    title = Text({lang: draft.title.get(lang) or general[lang] for lang in LANGUAGES})
    return {
        "draft": draft,
        "title": title,
        "device": DEVICE,
        "device_title": interface.title,
        "protocol": _NAMES[draft.protocol],
        "tag_title": spec.title,
        "unit": spec.unit,
        **facts,
    }


def _candidates(protocol: str, interface: Interface) -> Iterator[dict[str, Any]]:
    """Numbers that the device measures and that are seen over a protocol, as the templates want them; floats first."""
    measured = [
        name
        for kinds in (("f32", "f64"), ("u16", "i16", "u32", "i32"))
        for name, tag in interface.tags.items()
        if tag.type in kinds and tag.access == "r" and not tag.labels
    ]
    if protocol == "modbus":
        registers = {entry.tag: entry for entry in describe(interface) if _plain(entry)}
        found = [registers[name] for name in measured if name in registers]
        floats = [entry for entry in found if entry.type in ("f32", "f64")]
        yield from (_register(entry, interface) for entry in [*floats, *found])
    elif protocol == "opcua" and interface.opcua is not None:
        paths = {tag: path for path, tag in interface.opcua.nodes.items()}
        folder = interface.opcua.folder
        for name in measured:
            if name in paths:
                steps = [part.partition(":")[2] or part for part in paths[name].split("/")]
                yield {"tag": name, "path": [folder, DEVICE, *steps], "tolerance": "0.5 %"}
    elif interface.mqtt is not None:
        periods = {tag: message.every for message in interface.mqtt.messages for tag in message.tags}
        for name in measured:
            if name in periods:
                yield {"tag": name, "age": f"{math.ceil(2 * periods[name]) + 3} s"}


def _plain(entry: RegisterEntry) -> bool:
    """A register that its table's usual function reads, with one number in it."""
    if entry.tag is None or entry.type not in _FORMATS or entry.table not in _FUNCTIONS:
        return False
    return entry.functions is None or _FUNCTIONS[entry.table][0] in entry.functions


def _register(entry: RegisterEntry, interface: Interface) -> dict[str, Any]:
    tag = entry.tag
    assert tag is not None
    whole = entry.type not in ("f32", "f64") and interface.tags[tag].type in ("f32", "f64")
    return {
        "tag": tag,
        "doc": entry.doc,
        "address": entry.address,
        "count": entry.size,
        "function": _FUNCTIONS[entry.table][1],
        "format": f">{_FORMATS[entry.type]}",
        "order": entry.word_order or "ABCD",
        "scale": entry.scale,
        "offset": entry.offset,
        "tolerance": f"{1 / abs(entry.scale):g}" if whole else "0.5 %",
    }


def _quoted(text: str) -> str:
    """A text as a double-quoted scalar of YAML that is no placeholder."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${")
    return '"' + "".join(c if c >= " " else f"\\x{ord(c):02x}" for c in escaped) + '"'


def _template(name: str) -> str:
    return files("labsim.lab").joinpath("draft_files", f"{name}.j2").read_text(encoding="utf-8")
