"""First-contact at a real mosquitto behind the tap: the same scenario comes to the same verdict as at our own broker."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

import devices
from labsim.endpoints.mqtt.external import ExternalBroker
from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.trainee import attempt_with
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.scenario.folder import find_scenario

pytestmark = [pytest.mark.foreign, pytest.mark.scenario]


def mosquitto() -> str:
    """The broker's program, which Debian keeps out of a user's path."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin") or "mosquitto"


class Broker:
    """A mosquitto on a free port of the loopback."""

    def __init__(self, folder: Path, more: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n{more}", encoding="utf-8"
        )
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Run it until it takes connections."""
        self._run()
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    return

    def _run(self) -> None:
        command = [mosquitto(), "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None


@pytest.fixture
async def broker(tmp_path: Path, need: Callable[..., None]) -> AsyncIterator[Broker]:
    """A running mosquitto."""
    if shutil.which(mosquitto()) is None:
        need("mosquitto")
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    broker.stop()


def scenario_at(folder: Path, port: int) -> Path:
    """First-contact with the broker at ``port``."""
    source, made = find_scenario("first-contact"), folder / "scenario"
    made.mkdir()
    for file in (*source.glob("*.md"), *source.glob("*.py")):
        made.joinpath(file.name).write_bytes(file.read_bytes())
    text = (source / "scenario.yaml").read_text(encoding="utf-8")
    old = "- mqtt: {port: 1883}"
    assert old in text
    text = text.replace(old, f"- mqtt: {{port: 1883, broker: 'mqtt://127.0.0.1:{port}', devices: [mill1]}}")
    (made / "scenario.yaml").write_text(text, encoding="utf-8")
    return made


def marks(verdict: dict[str, Any]) -> list[tuple[str, float, str]]:
    """What a verdict says of each check."""
    return [(check["id"], check["score"], check["outcome"]) for task in verdict["tasks"] for check in task["checks"]]


async def test_the_verdict_is_the_same_at_mosquitto(broker: Broker, tmp_path: Path) -> None:
    """The solution reaches full marks through the tap before mosquitto, check by check as at our own broker."""
    said: list[str] = []
    script = find_scenario("first-contact") / "solution.py"

    async def attempt(name: str, folder: Path) -> dict[str, Any]:
        options = Options(seed="external", attempt=tmp_path / name, speed=5.0, port_base=0)
        verdict, code = await attempt_with(folder, script, options, said.append)
        assert code == 0, said
        assert ok(verify(options.attempt))
        return verdict

    verdicts = await asyncio.gather(
        attempt("own", find_scenario("first-contact")), attempt("mosquitto", scenario_at(tmp_path, broker.port))
    )
    assert marks(verdicts[0]) == marks(verdicts[1])
    assert verdicts[1]["score"] == verdicts[1]["max"]
    evidence = Evidence.load(tmp_path / "mosquitto")
    assert {record.app for record in evidence.of("mqtt", "publish")} == {"bridge", "plant"}


def told(attempt: Path) -> dict[str, list[Any]]:
    """What evidence says of each client, without what depends on the broker's wording."""
    found: dict[str, list[Any]] = {}
    for record in Evidence.load(attempt).of("mqtt"):
        if record.app not in ("", "plant"):
            detail = {name: value for name, value in record.detail.items() if name != "reason"}
            found.setdefault(record.app, []).append((record.kind, record.subject, record.values, record.status, detail))
    return found


async def test_evidence_is_the_same_at_mosquitto(broker: Broker, tmp_path: Path, need: Callable[..., None]) -> None:
    """The same foreign clients leave the same evidence at mosquitto behind the tap as at our own broker, detail by detail."""
    need("mosquitto_pub", "mosquitto_sub")
    commands = [
        ["mosquitto_pub", "-i", "zero", "-t", "a/0", "-m", "x"],
        [
            "mosquitto_pub",
            "-i",
            "once",
            "-V",
            "5",
            "-q",
            "1",
            "-r",
            "-t",
            "a/1",
            "-m",
            "é",
            "-D",
            "publish",
            "content-type",
            "t",
        ],
        ["mosquitto_pub", "-i", "twice", "-q", "2", "-t", "a/2", "-m", "y" * 10_000, "-k", "7"],
        ["mosquitto_pub", "-i", "many", "-q", "1", "-t", "a/3", "--repeat", "20", "-m", "z", "-V", "5"],
        ["mosquitto_sub", "-i", "sub", "-q", "2", "-t", "a/+", "-t", "b/#", "-C", "1", "-W", "20"],
        [
            "mosquitto_sub",
            "-i",
            "left",
            "-t",
            "a/1",
            "-C",
            "1",
            "--will-topic",
            "w",
            "--will-payload",
            "gone",
            "-V",
            "5",
        ],
    ]

    async def session(name: str, folder: Path) -> dict[str, list[Any]]:
        options = Options(seed="external", attempt=tmp_path / name, port_base=0)
        async with Lab(folder, options) as lab:
            port = next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt").rpartition(":")[2]
            for command in commands:
                full = [command[0], "-h", "127.0.0.1", "-p", port, *command[1:]]
                await asyncio.to_thread(subprocess.run, full, check=True, timeout=30, capture_output=True)
        return told(options.attempt)

    own = await session("own", find_scenario("first-contact"))
    assert await session("mosquitto", scenario_at(tmp_path, broker.port)) == own
    assert {len(rows) for app, rows in own.items() if app in ("zero", "once", "twice")} == {4}
    assert len(own["many"]) == 23


async def test_what_mosquitto_refuses_is_a_denial(tmp_path: Path, need: Callable[..., None]) -> None:
    """A topic that mosquitto's access list refuses is a deny with its reason code; so is a filter."""
    need("mosquitto_pub", "mosquitto_sub")
    if shutil.which(mosquitto()) is None:
        need("mosquitto")
    (tmp_path / "acl").write_text("topic readwrite good/#\ntopic readwrite factory/#\n", encoding="utf-8")
    broker = Broker(tmp_path, f"acl_file {tmp_path / 'acl'}\n")
    await broker.start()
    options = Options(seed="external", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(scenario_at(tmp_path, broker.port), options) as lab:
        port = next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt").rpartition(":")[2]
        for topic in ("good/a", "bad/a"):
            ask = [
                "mosquitto_pub",
                "-h",
                "127.0.0.1",
                "-p",
                port,
                "-V",
                "5",
                "-i",
                "pub",
                "-q",
                "1",
                "-t",
                topic,
                "-m",
                "1",
            ]
            await asyncio.to_thread(subprocess.run, ask, capture_output=True, timeout=30)
    broker.stop()
    rows = [(kind, subject) for kind, subject, *_ in told(options.attempt)["pub"] if kind in ("publish", "deny")]
    assert rows == [("publish", "good/a"), ("deny", "bad/a")]


async def test_mosquitto_clients_pass_the_tap(broker: Broker, tmp_path: Path, need: Callable[..., None]) -> None:
    """mosquitto_pub with QoS 2 and MQTT 5, and a retained message for mosquitto_sub, are told as they were sent."""
    need("mosquitto_pub", "mosquitto_sub")
    options = Options(seed="external", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(scenario_at(tmp_path, broker.port), options) as lab:
        port = next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt").rpartition(":")[2]
        where = ["-h", "127.0.0.1", "-p", port, "-V", "5"]
        said = ["mosquitto_pub", *where, "-i", "pub", "-q", "2", "-r", "-t", "a/b", "-m", "hello"]
        await asyncio.to_thread(subprocess.run, said, check=True, timeout=30)
        heard = ["mosquitto_sub", *where, "-i", "sub", "-q", "1", "-t", "a/+", "-C", "1", "-W", "20"]
        got = await asyncio.to_thread(subprocess.run, heard, capture_output=True, text=True, timeout=30)
        assert got.stdout == "hello\n"
        evidence = Evidence.load(options.attempt)
    rows = [(r.kind, r.subject, r.status) for r in evidence.of("mqtt") if r.app == "pub"]
    assert rows == [("connect", "", 0), ("publish", "a/b", 0), ("disconnect", "", 0), ("close", "", 0)]
    subscribed = next(record for record in evidence.of("mqtt", "subscribe") if record.app == "sub")
    assert (subscribed.subject, subscribed.detail["granted"]) == ("a/+", 1)


async def test_a_mosquitto_that_dies_is_an_incident(broker: Broker, tmp_path: Path) -> None:
    """The lab goes on without its broker, says so, and finds it again when it is back."""
    options = Options(seed="external", attempt=tmp_path / "attempt", port_base=0)

    def incidents() -> list[str]:
        return [record.detail["reason"] for record in Evidence.load(options.attempt).of("lab", "incident")]

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while len(incidents()) < count:  # noqa: ASYNC110 - the evidence on disk has no event
                await asyncio.sleep(0.05)

    async with Lab(scenario_at(tmp_path, broker.port), options) as lab:
        broker.stop(signal.SIGKILL)
        await until(1)
        assert lab.state == "running"
        await broker.start()
        await until(2)
    assert "is gone" in incidents()[0]
    assert "is back" in incidents()[1]


async def test_a_link_before_mosquitto(broker: Broker, tmp_path: Path) -> None:
    """The link of an endpoint with a foreign broker can be impaired like any other."""
    options = Options(seed="external", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(scenario_at(tmp_path, broker.port), options) as lab:
        port = next(row["url"] for row in lab.addresses() if row["protocol"] == "mqtt").rpartition(":")[2]
        lab.instructor.fault("link.mqtt", "refuse", {})
        ask = ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "b"]
        failed = await asyncio.to_thread(subprocess.run, ask, capture_output=True, timeout=30)
        assert failed.returncode != 0
        lab.instructor.fault("link.mqtt", "good", {})
        await asyncio.to_thread(subprocess.run, ask, check=True, timeout=30)
        publishes = Evidence.load(options.attempt).of("mqtt", "publish")
    assert [record.subject for record in publishes if record.app != "plant"] == ["a"]


async def test_a_vehicle_at_mosquitto_is_a_client_with_its_own_will(broker: Broker) -> None:
    """ONLINE is retained there, an order through the tap is taken, and a connection that breaks brings CONNECTIONBROKEN."""
    plant, events = Plant(1, SimClock()), []
    vehicle = plant.add("agv1", devices.load("agv"))
    plant.start()
    base, heard = f"uagv/v2/Labsim/{vehicle.serial}", []
    order = {
        "headerId": 0, "timestamp": "2026-01-31T08:00:00.00Z", "version": "2.1.0", "manufacturer": "Labsim",
        "serialNumber": vehicle.serial, "orderId": "o1", "orderUpdateId": 0, "edges": [],
        "nodes": [{"nodeId": "park1", "sequenceId": 0, "released": True, "actions": []}],
    }  # fmt: skip

    async def until(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - paho's threads have no event of their own
                await asyncio.sleep(0.005)

    def states() -> list[str]:
        return [json.loads(payload)["connectionState"] for payload in heard]

    async with ExternalBroker(plant, ["agv1"], events.append, f"mqtt://127.0.0.1:{broker.port}") as endpoint:
        master = paho.Client(paho.CallbackAPIVersion.VERSION2, "master")
        master.on_connect = lambda client, *_: client.subscribe(f"{base}/connection", 1)
        master.on_message = lambda _client, _data, message: heard.append(message.payload)
        master.connect("127.0.0.1", endpoint.port)
        master.loop_start()
        await until(lambda: states() == ["ONLINE"])
        master.publish(f"{base}/order", json.dumps(order), 1)
        await until(lambda: vehicle["order_id"] == "o1")
        (call,) = [event for event in events if event.kind == "call"]
        assert (call.app, call.detail["results"]) == ("master", ["accepted"])
        endpoint._vehicles["agv1"]._client.socket().shutdown(socket.SHUT_RDWR)
        await until(lambda: "CONNECTIONBROKEN" in states())
        await until(lambda: states()[-1] == "ONLINE")
        master.disconnect()
        master.loop_stop()
