"""A host that is killed."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify
from labsim.plant.clock import STEP_NS

KILLS = 10
FIRST_ADDRESS, HOLES = 1000, 1800
"""Registers below 3000 are holes: each request is answered with an exception, which is an event too."""


def place(number: int) -> tuple[int, int]:
    """Address and count that only this request asks for."""
    return FIRST_ADDRESS + number % HOLES, 1 + number // HOLES


def acknowledged(port: int, first: int, enough: threading.Event, wanted: int, together: int) -> list[int]:
    """Send one request after the other, so many in a segment, until the connection breaks; those that were answered."""
    answered: list[int] = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        number = first
        try:
            while True:
                asked = range(number, number + together)
                client.sendall(
                    b"".join(struct.pack(">HHHBBHH", one & 0xFFFF, 0, 6, 11, 3, *place(one)) for one in asked)
                )
                number += together
                reply = b""
                for one in asked:
                    while len(reply) < 9:
                        part = client.recv(65536)
                        if not part:
                            return answered
                        reply += part
                    reply = reply[9:]
                    answered.append(one)
                if len(answered) >= wanted:
                    enough.set()
        except OSError:
            return answered
        finally:
            enough.set()


def test_kill_loses_no_acknowledged_event(host: Callable, labsim: Callable, tmp_path: Path) -> None:
    """Ten kills in the middle of traffic lose no event that was answered; the chain holds, the folder can be marked."""
    attempt, chance, sent = tmp_path / "attempt", random.Random(11), []
    for epoch in range(KILLS):
        running = host("modbus-mapping", "--attempt", str(attempt), "--port-base", "0", "--seed", "kill")
        enough, got = threading.Event(), []
        first = len(sent)
        wanted = chance.randint(5, 120)
        client = threading.Thread(
            target=lambda r=running, f=first, e=enough, g=got, w=wanted, k=1 + epoch % 3 * 10: g.extend(
                acknowledged(r.port("modbus"), f, e, w, k)
            )
        )
        client.start()
        assert enough.wait(30)
        running.kill()
        client.join(30)
        assert len(got) >= wanted, f"the host of epoch {epoch + 1} did not answer"
        sent += got
        evidence = Evidence.load(attempt)
        kept = [(r.detail["address"], r.detail["count"]) for r in evidence.of("modbus", "read")]
        assert set(map(place, sent)) <= set(kept)
        assert [r.seq for r in evidence.records] == list(range(1, len(evidence.records) + 1))
        assert ok(verify(attempt))
    assert len(list((attempt / "journal").glob("e*.jsonl"))) == KILLS

    graded = labsim("grade", attempt, "--json")
    assert graded.returncode == 1, graded.stderr
    assert json.loads(graded.stdout)["score"] == 1  # the exception was met; nothing else was done


def test_resumed_plant_goes_on_where_it_was(host: Callable, tmp_path: Path) -> None:
    """A resumed host brings the plant back to the same values, bit for bit, with what clients had written."""
    attempt, options = tmp_path / "attempt", ("--port-base", "0", "--speed", "20")
    running = host("modbus-mapping", "--attempt", str(attempt), "--seed", "again", *options)
    base = json.loads((attempt / "manifest.json").read_text(encoding="utf-8"))["variants"]["base1"]
    with socket.create_connection(("127.0.0.1", running.port("modbus"))) as client:
        client.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 11, 5, base, 0xFF00))  # shed the load of meter1
        assert client.recv(64)[7] == 5
        while Evidence.load(attempt).history.last_step < 10:
            client.sendall(struct.pack(">HHHBBHH", 2, 0, 6, 11, 3, 3027 + base, 2))
            client.recv(64)
    running.kill()
    last = Evidence.load(attempt).history.last_step
    running = host("modbus-mapping", "--attempt", str(attempt), "--seed", "ignored", *options, "--for", "1 s")
    assert running.ready["seed"] == "again"
    assert running.end()[0]["seed"] == "again"
    host("modbus-mapping", "--attempt", str(tmp_path / "other"), "--seed", "again", *options, "--for", "2 s").end()
    after, other = Evidence.load(attempt), Evidence.load(tmp_path / "other")
    assert after.history.value_at("meter1.shed_load", after.history.last_step * STEP_NS) == (True, 0)
    steps = min(after.history.last_step, other.history.last_step)
    assert steps > last
    for tag in ("meter2.frequency", "meter3.active_power_total"):  # not touched, and kept at every step
        one, two = ([e.history.value_at(tag, n * STEP_NS) for n in range(steps)] for e in (after, other))
        assert one == two


TWO_METERS = """
labsim: 1
id: two-meters
title: Two meters
level: junior
minutes: 10
plant: {meter1: {type: power-meter}, meter2: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1, 12: meter2}}}]
tasks: [{id: read, title: Read, marks: 1, checks: [{modbus.read: {device: meter1, marks: 1}}]}]
"""


def test_a_kill_takes_the_running_second_of_polls_and_no_more(host: Callable, tmp_path: Path) -> None:
    """Every read that a check looks at was kept before its answer; of counted ones only the last second may be missing."""
    scenario, attempt = tmp_path / "two", tmp_path / "attempt"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(TWO_METERS, encoding="utf-8")
    running = host(str(scenario), "--attempt", str(attempt), "--port-base", "0", "--speed", "20")
    answered = {11: 0, 12: 0}
    with socket.create_connection(("127.0.0.1", running.port("modbus")), timeout=30) as client:
        while Evidence.load(attempt).end_ns < 4 * 10**9:
            for _ in range(50):
                for unit in answered:
                    client.sendall(struct.pack(">HHHBBHH", 1, 0, 6, unit, 3, 3019, 10))
                    assert client.recv(64)[7] == 3
                    answered[unit] += 1
        running.kill()
    evidence = Evidence.load(attempt)
    graded = evidence.of("modbus", "read", "meter1")
    assert len(graded) == answered[11]
    polls = evidence.of("modbus", "poll", "meter2")
    told = len(evidence.of("modbus", "read", "meter2")) + sum(r.detail["reads"] for r in polls)
    ended = (graded[-1].t // 10**9 - 1) * 10**9  # a second that was over for a second
    assert sum(r.t < ended for r in graded) - 1 <= told <= answered[12]
    assert ok(verify(attempt))
