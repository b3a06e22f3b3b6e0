"""A bench that builds real attempt folders: what clients did, what was true, what was handed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.checks import load
from grader.outcome import Outcome
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import Manifest, Nameplate, TagInfo
from labsim.text import Text

UTC_ORIGIN_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
STEP_S = 0.1
SCENARIO = """
labsim: 1
id: bench
title: Bench
level: junior
minutes: 10
plant: {meter1: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1}}}]
tasks:
  - id: read
    title: {en: Read the meter, zh-Hant: 讀取電表, zh-Hans: 读取电表}
    marks: 4
    checks: [{modbus.read: {tags: [meter1.voltage, meter1.power], marks: 4}}]
    hints: [{text: Look, cost: 1}]
  - id: say
    title: Say it
    marks: 2
    depends: [read]
    answer: How many?
    checks: [{answer: {number: 50, unit: Hz, marks: 2}}]
"""
TAGS = [
    TagInfo(row=0, path="meter1.voltage", device="meter1", name="voltage", type="f32", unit="V", low=0, high=400),
    TagInfo(row=1, path="meter1.power", device="meter1", name="power", type="f64", unit="kW"),
    TagInfo(
        row=2,
        path="meter1.state",
        device="meter1",
        name="state",
        type="u16",
        labels={2: {"en": "Run", "zh-Hans": "运行"}},
    ),
    TagInfo(row=3, path="meter1.alarm", device="meter1", name="alarm", type="bool"),
    TagInfo(row=4, path="meter1.batch", device="meter1", name="batch", type="text"),
    TagInfo(row=5, path="oven1.temp", device="oven1", name="temp", type="f64", unit="°C"),
    TagInfo(row=6, path="oven1.setpoint", device="oven1", name="setpoint", type="f64", unit="°C"),
]


class Bench:
    """Collects what happened, in any order, and builds the attempt once it is asked for. Times are plant seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scenario = SCENARIO
        self._events: list[tuple[float, Event]] = []
        self._truth: list[tuple[float, str, Any, int]] = []
        self._files: dict[str, bytes] = {}
        self._versions: list[tuple[float, str, bytes]] = []
        self.scenario_files: dict[str, bytes] = {}
        self.tags = list(TAGS)
        self._evidence: Evidence | None = None
        self.end = 0.0
        self.speed = 1.0

    def event(self, t: float, protocol: str, kind: str, **fields: Any) -> None:
        """One event at ``t``."""
        self._events.append((t, Event(kind=kind, protocol=protocol, **fields)))  # type: ignore[arg-type] # a test's word

    def read(
        self, t: float, tags: Mapping[str, Any] = {}, *, device: str = "meter1", status: int = 0, **detail: Any
    ) -> None:
        """One Modbus read."""
        detail = {"unit": 11, "fc": 3, "table": "holding", **detail}
        tags_, values = list(tags), list(tags.values())
        self.event(t, "modbus", "read", device=device, tags=tags_, values=values, status=status, detail=detail)

    def publish(self, t: float, topic: str, payload: Any, *, app: str = "gw", session: str = "", **detail: Any) -> None:
        """One MQTT publish; what is no text is sent as JSON."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        detail = {"qos": 0, "retain": False, **detail}
        self.event(t, "mqtt", "publish", app=app, session=session, subject=topic, values=[text], detail=detail)

    def true(self, path: str, *changes: tuple[float, Any] | tuple[float, Any, int]) -> None:
        """Values of a tag from given seconds on, each with an optional status."""
        for change in changes:
            self._truth.append((change[0], path, change[1], change[2] if len(change) > 2 else 0))

    def hand_in(self, name: str, data: str | bytes) -> None:
        """A file as it is at the end."""
        self._files[name] = data.encode() if isinstance(data, str) else data

    def keep_file(self, t: float, name: str, data: bytes) -> None:
        """A file as it was when a check at ``t`` took it in."""
        sha256 = hashlib.sha256(data).hexdigest()
        self._versions.append((t, sha256, data))
        self.event(t, "lab", "file", subject=name, detail={"sha256": sha256, "size": len(data)})

    @property
    def evidence(self) -> Evidence:
        """The attempt, built on first use."""
        if self._evidence is None:
            self._evidence = self._build()
        return self._evidence

    def judge(self, name: str, **params: Any) -> Outcome:
        """The outcome of one check. Whatever it says to people, it says in every language."""
        check = load(name)
        outcome = check().judge(self.evidence, check.Params.model_validate(params))
        assert outcome.reason
        for said in (outcome.reason, outcome.help, outcome.expected, outcome.actual):
            assert not isinstance(said, Text) or not said or said.missing == ()
        return outcome

    def _build(self) -> Evidence:
        now = 0
        attempt = Attempt.create(
            self.folder,
            manifest=Manifest.new(
                scenario="bench",
                title={"en": "Bench"},
                seed="7",
                variants={},
                speed=self.speed,
                lang="en",
                utc_origin_ns=UTC_ORIGIN_NS,
                devices={
                    "meter1": Nameplate(
                        type="power-meter", manufacturer="Acme", model="PM 1", revision="2.0", serial="PM-0042"
                    )
                },
            ),
            tags=self.tags,
            scenario_files={"scenario.yaml": self.scenario.encode(), **self.scenario_files},
            clock_t=lambda: now,
        )
        rows = {tag.path: tag.row for tag in self.tags}
        for t, path, value, status in sorted(self._truth, key=lambda change: change[0]):
            text = isinstance(value, str)
            texts = {rows[path]: value} if text else None
            attempt.record(round(t / STEP_S), [rows[path]], [0.0 if text else value], [status], texts)
        for t, event in sorted(self._events, key=lambda pair: pair[0]):
            now = round(t * 1e9)
            attempt.append(event)
        now = max(now, round(self.end * 1e9))
        for _, sha256, data in self._versions:
            (self.folder / "files").mkdir(exist_ok=True)
            (self.folder / "files" / sha256).write_bytes(data)
        for name, data in self._files.items():
            path = attempt.handin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if not self._versions:
            attempt.snapshot_handin()
        attempt.append(Event(kind="check", protocol="lab"))
        attempt.close()
        return Evidence.load(self.folder)
