"""A catalogue of invented devices and checks, and a scenario that is right in every respect."""

# ruff: noqa: D101, D102, D103 - stand-ins whose names and protocol say what they are

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from labsim.quantity import Duration, ToleranceField
from labsim.scenario.fields import AlarmPath, DevicePath, MethodPath, TagPath
from labsim.scenario.load import lint_scenario

GOOD = """\
labsim: 1
id: read-a-meter
title: {en: "Read a meter", zh-Hant: "讀電表", zh-Hans: "读电表"}
level: junior
minutes: 45
competences: [NET-J1]
variants:
  order: {choose: [ABCD, CDAB]}
  base: {range: [0, 400], step: 20}
  unit: {choose: [11, 12, 13]}
plant:
  meter1: {type: power-meter, settings: {word_order: "${order}", base_register: "${base}"}}
  mill1:
    type: mill
endpoints:
  - modbus: {port: 5020, units: {"${unit}": meter1}}
  - opcua:
      port: 4840
      devices: [mill1]
      users: [{name: ann, password: 1234, role: Operator}]
timeline:
  - {at: 10 min, device: meter1, setting: word_order, value: DCBA}
tasks:
  - id: decode
    title: {en: "Decode unit ${unit}", zh-Hant: "解碼", zh-Hans: "解码"}
    brief: brief.md#decode
    marks: 10
    checks:
      - modbus.polled: {device: meter1, every: 1 s, within: 20 %, for: 3 min, marks: 4}
      - file.values:
          file: map.csv
          tags: [meter1.voltage, meter1.current]
          marks: 6
          depends: [decode.1]
    hints:
      - {text: {en: "Look", zh-Hant: "看", zh-Hans: "看"}, cost: 1}
  - id: write
    title: {en: "Write", zh-Hant: "寫", zh-Hans: "写"}
    depends: [decode]
    marks: 2.5
    checks:
      - plant.never: {tag: mill1.tripped, marks: 2.5, id: calm}
penalties:
  - plant.never: {tag: mill1.tripped, marks: 3}
"""

BRIEF = """\
# Story

The meter speaks ${order}.

## Decode {#decode}

Base ${base}.

### Detail

More.

## Write {#write}

Write.
"""


class Polled(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    device: DevicePath
    every: Duration
    within: ToleranceField | None = None
    length: Duration = Field(60, alias="for")


class Values(BaseModel):
    model_config = ConfigDict(extra="forbid")
    file: str
    tags: list[TagPath]


class Never(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tag: TagPath


class Acts(BaseModel):
    model_config = ConfigDict(extra="forbid")
    alarm: AlarmPath
    method: MethodPath


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    equals: int
    task: str = ""


class FakeCatalogue:
    """Two device types, five checks."""

    tags: ClassVar[dict[str, list[str]]] = {"power-meter": ["voltage", "current"], "mill": ["tripped", "speed"]}
    settings: ClassVar[dict[str, list[str]]] = {"power-meter": ["word_order", "base_register"], "mill": []}
    protocols: ClassVar[dict[str, list[str]]] = {"power-meter": ["modbus", "mqtt"], "mill": ["opcua"]}
    models: ClassVar[dict[str, type[BaseModel]]] = {
        "modbus.polled": Polled,
        "file.values": Values,
        "plant.never": Never,
        "opcua.acts": Acts,
        "answer": Answer,
    }

    def device_types(self) -> Iterable[str]:
        return self.tags

    def device_tags(self, kind: str) -> Iterable[str]:
        return self.tags[kind]

    def device_alarms(self, kind: str) -> Iterable[str]:
        return ["overload"] if kind == "power-meter" else []

    def device_methods(self, kind: str) -> Iterable[str]:
        return ["start"] if kind == "mill" else []

    def device_settings(self, kind: str) -> Iterable[str]:
        return self.settings[kind]

    def device_protocols(self, kind: str) -> Iterable[str]:
        return self.protocols[kind]

    def device_ports(self, kind: str) -> dict[str, tuple[str, str]]:
        ports = {
            "mill": {"parts_in": ("in", "parts"), "parts_out": ("out", "parts"), "power": ("in", "power")},
            "power-meter": {"load_out": ("out", "power")},
        }
        return ports[kind]

    def judge_setting(self, kind: str, setting: str, value: Any) -> str:
        if setting == "word_order" and value not in ("ABCD", "CDAB", "BADC", "DCBA"):
            return f"{value!r} is not one of ABCD, CDAB, BADC, DCBA"
        if setting == "base_register" and not isinstance(value, int):
            return f"{value!r} is not a whole number"
        return ""

    def judge_sensor(self, kind: str, tag: str, chain: Any) -> str:
        return "" if isinstance(chain, dict) and chain.keys() <= {"noise"} else "there is no such stage."

    def device_faults(self, kind: str, tag: str) -> list[str]:
        return ["drift", "stuck"] if tag else ["dead"]

    def fault_params(self, kind: str, tag: str, fault: str) -> list[str]:
        return {"drift": ["rate"], "stuck": ["value"]}.get(fault, [])

    def judge_fault(self, kind: str, tag: str, fault: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        names = self.fault_params(kind, tag, fault)
        return [
            (n, f"{n}: {v!r} is no number.")
            for n, v in given.items()
            if n not in names or not isinstance(v, (int, float))
        ]

    def endpoint_faults(self, protocol: str) -> list[str]:
        return ["connection-limit"] if protocol == "modbus" else []

    def endpoint_fault_params(self, protocol: str, fault: str) -> list[str]:
        return ["sessions"]

    def judge_endpoint_fault(self, protocol: str, fault: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(name, f"{name}: no.") for name in given if name != "sessions"]

    def fault_schema(self) -> dict[str, Any]:
        return {"fault": {"enum": ["drift", "stuck", "dead", "connection-limit"]}, "rate": {"type": "number"}}

    def checks(self) -> Iterable[str]:
        return self.models

    def check_params(self, check: str) -> type[BaseModel]:
        return self.models[check]

    def check_about(self, check: str) -> str:
        return f"About {check}."


class ChecksOnly(FakeCatalogue):
    """As a grader's catalogue: no device is installed."""

    tags: ClassVar[dict[str, list[str]]] = {}


@pytest.fixture
def catalogue() -> FakeCatalogue:
    return FakeCatalogue()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scenario: the good one, with texts replaced in it (each must be there once)."""

    def write(*changes: tuple[str, str], text: str = GOOD, brief: str = BRIEF) -> Path:
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        folder = tmp_path / "read-a-meter"
        folder.mkdir(exist_ok=True)
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        for lang in ("en", "zh-Hant", "zh-Hans"):
            (folder / f"brief.{lang}.md").write_text(brief, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def checks_only() -> ChecksOnly:
    return ChecksOnly()


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def told(write: Callable[..., Path], catalogue: FakeCatalogue) -> Callable[..., list[tuple[str, str]]]:
    """Lints the good scenario with changes: ``(code, text of the file from the problem's place on)`` of each problem."""

    def told(*changes: tuple[str, str], **kwargs: str) -> list[tuple[str, str]]:
        folder = write(*changes, **kwargs)
        lines = (folder / "scenario.yaml").read_text(encoding="utf-8").splitlines()
        problems = lint_scenario(folder, catalogue)
        return [(p.code, lines[p.line - 1][p.column - 1 :] if p.line else p.file) for p in problems]

    return told
