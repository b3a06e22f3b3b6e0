"""An attempt with something of everything, built without a lab."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "grader"))

from grader_bench import Bench

SCENARIO = """
labsim: 1
id: bench
title: {en: Bench <1> & more, zh-Hant: 臺架, zh-Hans: 台架}
level: junior
minutes: 10
competences: [NET-J1]
plant: {meter1: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1}}}]
timeline:
  - {at: 10 s, link: modbus, state: slow, delay: 1 s, hidden: true}
tasks:
  - id: say
    title: {en: Say it, zh-Hant: 說, zh-Hans: 说}
    marks: 6
    answer: {en: How many?, zh-Hant: 多少？, zh-Hans: 多少？}
    checks:
      - mqtt.matches-truth: {topic: site/good, value: v, tag: meter1.voltage, for: 20 s, marks: 2}
      - mqtt.matches-truth: {topic: site/bad, value: v, tag: meter1.voltage, for: 20 s, marks: 2}
      - modbus.polled: {device: meter1, every: 1 s, for: 5 s, depends: [say.2], marks: 1}
      - answer: {equals: 50, marks: 1}
    hints: [{text: {en: Look there, zh-Hant: 看, zh-Hans: 看}, cost: 1}]
  - id: file
    title: {en: Hand it in, zh-Hant: 交付, zh-Hans: 交付}
    marks: 7
    checks:
      - file.values: {file: log.csv, expect: {u: meter1.voltage}, truth: at-time, at_least: 3, marks: 4}
      - file.series: {file: series.csv, columns: {u: meter1.voltage}, every: 1 s, for: 10 s, marks: 2}
      - all:
          checks:
            - mqtt.matches-truth: {topic: site/good, value: v, tag: meter1.voltage, for: 20 s}
            - file.values: {file: log.csv, expect: {u: meter1.voltage}, truth: at-time}
          marks: 1
penalties:
  - modbus.never: {action: write, tags: [meter1.power], marks: 2}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Half of the work done well, half badly, with a fault that nobody was told of."""
    made = Bench(tmp_path / "attempt")
    made.scenario = SCENARIO
    made.true("meter1.voltage", *((float(t), 230.0 + t % 7) for t in range(40)))
    made.event(1, "mqtt", "open", client="127.0.0.1:4000", session="mqtt-1")
    made.event(1, "mqtt", "connect", client="127.0.0.1:4000", session="mqtt-1", app="<gw>&'\"")
    for t in range(2, 38):
        for topic, factor in (("site/good", 1), ("site/bad", 1000)):
            value = {"v": (230.0 + t % 7) * factor}
            made.publish(t, topic, value, app="<gw>&'\"", client="127.0.0.1:4000", session="mqtt-1")
    modbus = {"device": "meter1", "client": "127.0.0.1:4001", "session": "modbus-1"}
    asked = {"unit": 11, "fc": 3, "table": "holding", "address": 1, "count": 2}
    made.event(5, "modbus", "read", tags=["meter1.voltage"], values=[235.0], detail=asked, **modbus)
    made.event(6, "modbus", "read", detail={**asked, "address": 9}, status=2, **modbus)
    made.event(7, "modbus", "write", tags=["meter1.power"], values=[1.0], **modbus)
    fault = {"fault": "link.slow", "number": 1, "hidden": True, "by": "timeline"}
    made.event(10, "lab", "fault", subject="link.modbus", detail={**fault, "phase": "begin"})
    made.event(20, "lab", "fault", subject="link.modbus", detail={**fault, "phase": "end"})
    made.event(21, "lab", "hint", detail={"task": "say", "index": 0, "cost": 1.0})
    made.event(22, "lab", "answer", detail={"task": "say"}, values=["=50+1"])
    made.event(23, "lab", "incident", detail={"reason": "the disk was full"})
    stamp = "2026-01-01T00:00:{:02d}Z"
    made.hand_in("log.csv", "key,value,time\n" + "".join(f"u,{230 + t % 7},{stamp.format(t)}\n" for t in (3, 9, 15)))
    made.hand_in(
        "series.csv", "time,u\n" + "".join(f"{stamp.format(t)},{230 + t % 7 + t // 20 * 50}\n" for t in range(5, 25))
    )
    detail = {"unit": 11, "fc": 3, "reads": 8, "first": 24 * 10**9, "last": 31 * 10**9}
    made.event(32, "modbus", "poll", detail=detail, **modbus)
    made.end = 40
    return made
