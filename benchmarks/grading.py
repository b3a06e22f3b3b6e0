"""Marking two hours of one seat: 360,000 events and forty checks.

    python benchmarks/grading.py [--events 360000] [--rounds 3] [--keep FOLDER] [--profile]

The attempt is made first (or taken from FOLDER): a gateway that reads two meters over Modbus and publishes what it read, an
OPC UA client that reads and subscribes, an operator who writes, and the truth of 24 graded tags at ten steps a second. Of ten
events four are reads of the meters and four are messages of the gateway, so each of the eight checks of published values holds
18,000 messages against the truth, and each check that counts requests looks at 72,000. That is more
than most labs keep: reads that no check looks at are only counted in the journal (`labsim.evidence.polls`). Then it is marked by
a process of its own, from the folder alone, as ``labsim grade`` does; time is from before the first file is read until the
verdict stands, memory is the most that process ever held.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import math
import pstats
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SECONDS, STEPS = 7200, 10
GOAL_S, GOAL_MB = 2.0, 500
TAGS = {
    "meter1": ("voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "current_l2", "current_l3", "active_power_total",
               "frequency"),
    "meter2": ("voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "current_l2", "current_l3", "active_power_total",
               "frequency"),
    "mill1": ("spindle_speed", "spindle_load", "feed_rate", "spindle_temperature", "x_position", "y_position",
              "z_position", "feed_override"),
}  # fmt: skip
NAMES = [f"{device}.{name}" for device, names in TAGS.items() for name in names]


def checks() -> list[dict[str, Any]]:
    """Forty checks of every family."""
    power, volts = "active_power_total", "voltage_l1"
    found: list[dict[str, Any]] = []
    for meter in ("meter1", "meter2"):
        found += [
            {"modbus.read": {"device": meter}},
            {"modbus.read": {"tags": [f"{meter}.{volts}", f"{meter}.{power}"], "together": True}},
            {"modbus.polled": {"device": meter, "every": "200 ms", "for": "10 min", "within": "40 %"}},
            {"modbus.polled": {"device": meter, "every": "1 s", "for": "10 min"}},
            {"modbus.exceptions": {"device": meter, "at_most": "5 %", "for": "10 min"}},
            {"modbus.exceptions": {"device": meter, "per_minute": 100}},
            {"modbus.exception": {"device": meter, "code": 2}},
            {"modbus.never": {"action": "write", "tags": [f"{meter}.{volts}"]}},
            {"modbus.never": {"action": "any", "ranges": [{"device": meter, "first": 9000, "last": 9100}]}},
        ]
        found += [
            {
                "mqtt.matches-truth": {
                    "topic": f"site/{meter}/{name}", "tag": f"{meter}.{name}", "value": "value", "tolerance": "1 %",
                    "age": "3 s", "for": "10 min",
                }
            }
            for name in TAGS[meter][:4]
        ]  # fmt: skip
        found.append({"mqtt.published": {"topic": f"site/{meter}/+", "at_least": 100}})
    found += [
        {"opcua.session": {"user": "operator"}},
        {"opcua.read": {"tags": ["mill1.spindle_speed", "mill1.spindle_load"], "together": True}},
        {"opcua.subscribed": {"tags": ["mill1.spindle_speed", "mill1.feed_rate"]}},
        {"opcua.not-polled": {"tags": ["mill1.spindle_temperature"]}},
        {"opcua.wrote": {"tag": "mill1.feed_override", "value": 80}},
        {"opcua.never": {"action": "write", "tags": ["mill1.spindle_speed"]}},
        {"plant.held": {"tag": "mill1.feed_override", "low": 0, "high": 120, "for": "5 min"}},
        {"plant.never": {"tag": "mill1.spindle_temperature", "low": 0, "high": 10}},
        {"mqtt.connected": {"client": "gw"}},
        {"mqtt.subscribed": {"topics": ["cmd/#"]}},
        {"mqtt.never": {"action": "publish", "topics": ["cmd/#"]}},
        {"answer": {"number": 50, "unit": "Hz"}},
    ]
    return found


def scenario() -> dict[str, Any]:
    """A scenario with all of them in one task."""
    every = [{name: {**given, "marks": 1}} for check in checks() for name, given in check.items()]
    return {
        "labsim": 1,
        "id": "bench",
        "title": "Bench",
        "level": "senior",
        "minutes": 120,
        "plant": {"meter1": {"type": "power-meter"}, "meter2": {"type": "power-meter"}, "mill1": {"type": "cnc-mill"}},
        "endpoints": [{"modbus": {"units": {11: "meter1", 12: "meter2"}}}],
        "tasks": [
            {"id": "all", "title": "All", "marks": len(every), "answer": "How many hertz?", "checks": every},
        ],
    }


def make(folder: Path, events: int) -> None:
    """Write the attempt."""
    from labsim.evidence.attempt import Attempt
    from labsim.evidence.key import SigningKey
    from labsim.evidence.manifest import Manifest, TagInfo

    now = 0
    tags = [
        TagInfo(row=row, path=path, device=path.partition(".")[0], name=path.partition(".")[2], type="f32", graded=True)
        for row, path in enumerate(NAMES)
    ]
    manifest = Manifest.new(
        scenario="bench", title={"en": "Bench"}, seed="1", variants={}, speed=1.0, lang="en", utc_origin_ns=0
    )
    attempt = Attempt.create(
        folder,
        manifest=manifest,
        tags=tags,
        scenario_files={"scenario.yaml": yaml.safe_dump(scenario()).encode()},
        clock_t=lambda: now,
        key=SigningKey(folder.parent / "key"),
    )
    draw, zero = random.Random(1), [0] * len(NAMES)
    step = -1
    with attempt:
        for number, event in enumerate(happenings(events)):
            now = number * SECONDS * 10**9 // events
            while step < now // (10**9 // STEPS):
                step += 1
                attempt.record(step, range(len(NAMES)), [truth(row, step) for row in range(len(NAMES))], zero)
            now += draw.randrange(1_000_000)
            attempt.keep(event)
        attempt.seal()


def truth(row: int, step: int) -> float:
    """What a tag is at a step: slow enough to be read, quick enough to be seen."""
    return 50 + 10 * row + 5 * math.sin(step / 300 + row)


def happenings(count: int) -> Iterator[Any]:
    """So many events of an ordinary two hours."""
    from labsim.evidence.event import Event

    yield Event(kind="host-start", protocol="lab", detail={"speed": 1.0})
    yield Event(kind="open", protocol="modbus", client="10.0.0.5:5000", session="m1")
    yield Event(kind="connect", protocol="mqtt", client="10.0.0.5:5001", session="q1", app="gw", detail={"level": 5, "clean": True, "keepalive": 60})  # fmt: skip  # noqa: E501
    yield Event(kind="subscribe", protocol="mqtt", session="q1", app="gw", subject="cmd/#", detail={"qos": 1})
    yield Event(kind="session", protocol="opcua", client="10.0.0.6:1", session="o1", app="urn:hmi", user="operator", detail={"policy": "None", "mode": "None", "identity": "username", "role": "Operator", "name": "s"})  # fmt: skip  # noqa: E501
    for tag in ("spindle_speed", "feed_rate"):
        yield Event(kind="subscribe", protocol="opcua", session="o1", app="urn:hmi", user="operator", device="mill1", tags=[f"mill1.{tag}"], detail={"node": f"ns=2;s=mill1.{tag}", "subscription": 1, "item": 1, "publishing_ms": 500.0, "sampling_ms": 250.0, "requested_sampling_ms": 250.0, "queue": 1, "mode": "Reporting"})  # fmt: skip  # noqa: E501
    fixed = 8
    for number in range(count - fixed):
        step = (number + 7) * SECONDS * STEPS // count
        kind, meter = number % 10, ("meter1", "meter2")[number // 10 % 2]
        first = 0 if meter == "meter1" else 8
        at = f"127.0.0.1:{5000 + number % 3}"
        if number % 500 == 499:
            yield Event(kind="read", protocol="modbus", client=at, session="m1", device=meter, status=2, detail={"unit": 11, "fc": 3, "table": "holding", "address": 9999, "count": 2})  # fmt: skip  # noqa: E501
        elif number % 5000 == 4998:
            yield Event(kind="write", protocol="opcua", session="o1", app="urn:hmi", user="operator", device="mill1", tags=["mill1.feed_override"], values=[80.0], detail={"node": "ns=2;s=mill1.feed_override", "old": 90.0})  # fmt: skip  # noqa: E501
        elif kind < 4:
            chosen = NAMES[first : first + 8] if kind % 2 else NAMES[first : first + 4]
            yield Event(kind="read", protocol="modbus", client=at, session="m1", device=meter, tags=chosen, values=[truth(first + i, step) for i in range(len(chosen))], detail={"unit": 11, "fc": 3, "table": "holding", "address": 3027, "count": 16, "raw": "43668000" * len(chosen)})  # fmt: skip  # noqa: E501
        elif kind < 8:
            row = first + (kind - 4)
            name = NAMES[row].partition(".")[2]
            payload = f'{{"value": {truth(row, step):.4f}, "unit": "V", "time": {step}}}'
            yield Event(kind="publish", protocol="mqtt", client="10.0.0.5:5001", session="q1", app="gw", subject=f"site/{meter}/{name}", values=[payload], detail={"qos": 1, "retain": False, "dup": False, "mid": number % 65535 + 1, "size": len(payload)})  # fmt: skip  # noqa: E501
        elif kind == 8:
            yield Event(kind="publish", protocol="mqtt", app="plant", subject=f"plant/{meter}", values=['{"speed": 1200, "load": 55.1, "state": "run"}'], detail={"qos": 0, "retain": True, "size": 44})  # fmt: skip  # noqa: E501
        else:
            chosen = ["mill1.spindle_speed", "mill1.spindle_load"]
            yield Event(kind="read", protocol="opcua", client="10.0.0.6:1", session="o1", app="urn:hmi", user="operator", device="mill1", tags=chosen, values=[truth(16, step), truth(17, step)], detail={"nodes": [f"ns=2;s={tag}" for tag in chosen], "statuses": [0, 0]})  # fmt: skip  # noqa: E501
    yield Event(kind="answer", protocol="lab", values=["50 Hz"], detail={"task": "all"})


def mark(folder: Path, profile: bool) -> None:
    """Mark the attempt once and print what it took, as JSON."""
    from grader.checks import REGISTRY, load
    from grader.grade import grade, grade_attempt  # noqa: F401 - modules are not part of the time

    for name in REGISTRY:
        load(name)
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began, worked = time.perf_counter(), time.process_time()
    verdict = grade_attempt(folder).to_json("en")
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    profiler.disable()
    checked = [check for task in verdict["tasks"] for check in task["checks"]]
    outcomes = [check["outcome"] for check in checked]
    print(
        json.dumps(
            {"s": took, "cpu": cpu, "mb": peak_mb(), "outcomes": {o: outcomes.count(o) for o in sorted(set(outcomes))}}
        )
    )
    for check in checked:
        if check["outcome"] in ("cannot_check", "failed"):
            print(check["check"], check["outcome"], check["reason"], file=sys.stderr)
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(45)


def peak_mb() -> float:
    """The most memory that this process ever held; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def main() -> None:
    """Command line; ``--mark`` is for the processes it starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=360_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the attempt is, or is left")
    parser.add_argument("--profile", action="store_true", help="where the time goes (and more of it)")
    parser.add_argument("--mark", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mark:
        mark(options.mark, options.profile)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary) / "attempt"
        if not (folder / "manifest.json").exists():
            began = time.perf_counter()
            make(folder, options.events)
            print(f"{options.events} events kept in {time.perf_counter() - began:.1f} s", file=sys.stderr)
        command = [sys.executable, __file__, "--mark", str(folder), *(["--profile"] if options.profile else [])]
        found = []
        for _ in range(options.rounds):
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(json.loads(done.stdout))
        took, held = statistics.median(each["s"] for each in found), max(each["mb"] for each in found)
        print(f"{sum(found[0]['outcomes'].values())} checks: {found[0]['outcomes']}")
        print(f"processor time {statistics.median(each['cpu'] for each in found):.2f} s, which other work touches less")
        for what, value, goal, unit in (("marked in", took, GOAL_S, "s"), ("at most", held, GOAL_MB, "MB")):
            print(f"{what} {value:.2f} {unit}, goal {goal:g} {unit}: {'met' if value <= goal else 'missed'}")


if __name__ == "__main__":
    main()
