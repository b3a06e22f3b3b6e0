from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import own_certificate

from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.probe.bench import percentiles, run
from labsim.probe.credentials import Credentials
from labsim.probe.error import ProbeError
from labsim.probe.mqtt import Message, MqttProbe
from labsim.probe.target import MQTT, Target, parse_target

BOTH = pytest.mark.parametrize("version", [4, 5])


def at(where: str) -> Target:
    """A broker on this computer."""
    return parse_target(where, MQTT)


def receive(probe: MqttProbe) -> Message:
    """The next message."""
    while not probe.messages:
        probe.pump()
    return probe.messages.popleft()


@BOTH
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_what_is_published_is_received(mosquitto: Callable[..., str], version: int, qos: int) -> None:
    """Every QoS, in both versions, with its flags."""
    where = at(mosquitto())
    with MqttProbe(where, version=version) as hears, MqttProbe(where, version=version) as says:
        assert hears.subscribe(["a/+"], 2) == [2]
        says.deliver(says.publish("a/b", b"\x00\xff", qos))
        got = receive(hears)
    assert (got.topic, got.payload, got.qos, got.retain) == ("a/b", b"\x00\xff", qos, False)


@BOTH
def test_a_retained_message_waits(mosquitto: Callable[..., str], version: int) -> None:
    """Who subscribes later gets it, marked as retained."""
    where = at(mosquitto())
    with MqttProbe(where, version=version) as probe:
        probe.deliver(probe.publish("a", b"kept", 1, retain=True))
        probe.subscribe(["#"])
        assert receive(probe).retain


@BOTH
def test_a_password_is_needed(mosquitto: Callable[..., str], version: int) -> None:
    """A broker that lets nobody in says so, in one sentence."""
    where = at(mosquitto("allow_anonymous false"))
    with (
        pytest.raises(ProbeError, match=r"refused the connection: not authori[sz]ed"),
        MqttProbe(where, version=version),
    ):
        pass


def test_nobody_there_is_told() -> None:
    """A closed port, and a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with (
            pytest.raises(ProbeError, match=r"did not answer CONNECT within 0.2 s"),
            MqttProbe(at(f"127.0.0.1:{port}"), timeout=0.2),
        ):
            pass
    with pytest.raises(ProbeError, match="cannot be reached: connection refused"), MqttProbe(at(f"127.0.0.1:{port}")):
        pass


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400\r\n\r\n", b"\x20\x02\x00\x07", b"\xff" * 20])
def test_what_is_no_broker_is_one_sentence(answer: bytes) -> None:
    """It hangs up or talks nonsense: a ProbeError that names it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(300)
                peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(ProbeError, match=rf"127\.0\.0\.1:{port}"), MqttProbe(at(f"127.0.0.1:{port}"), timeout=0.5):
            pass


def test_what_is_no_topic_is_refused_before_it_is_sent(mosquitto: Callable[..., str]) -> None:
    """Wildcards in a topic, and filters that are none."""
    with MqttProbe(at(mosquitto())) as probe:
        with pytest.raises(ProbeError, match="cannot be published to"):
            probe.publish("a/#", b"")
        for wrong in ("a/#/b", "a+"):
            with pytest.raises(ProbeError, match="not a topic filter"):
                probe.subscribe([wrong])


def test_tls_is_believed_only_with_a_certificate(mosquitto: Callable[..., str], tmp_path: Path) -> None:
    """The broker's certificate is checked, unless it is said not to."""
    cert, key = own_certificate.make(tmp_path)
    where = at("mqtts://" + mosquitto("allow_anonymous true", f"certfile {cert}", f"keyfile {key}"))
    for credentials in (Credentials(ca=cert), Credentials(insecure=True)):
        with MqttProbe(where, credentials=credentials) as probe:
            probe.deliver(probe.publish("a", b"1", 1))
    with pytest.raises(ProbeError, match="its certificate is not trusted"), MqttProbe(where):
        pass


@BOTH
async def test_over_a_web_socket(version: int) -> None:
    """The same, as a browser would; a listener that speaks no WebSocket is told."""
    broker = MqttEndpoint(Plant(1, SimClock()), [], lambda _: None, web_port=0)

    def talk(plain: str, web: str) -> bytes:
        with pytest.raises(ProbeError), MqttProbe(at(plain.replace("mqtt://", "ws://")), timeout=0.5):
            pass
        with MqttProbe(at(web), version=version) as probe:
            probe.subscribe(["a"], 1)
            probe.deliver(probe.publish("a", b"1", 1))
            return receive(probe).payload

    async with broker:
        assert await asyncio.to_thread(talk, *(address.url for address in broker.addresses())) == b"1"


def test_a_user_proves_itself(mosquitto: Callable[..., str], tmp_path: Path) -> None:
    """By name and password, which may stand in the address."""
    (tmp_path / "users").write_text("gw:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "users")], check=True)
    where = mosquitto("allow_anonymous false", f"password_file {tmp_path / 'users'}")
    with MqttProbe(at(f"mqtt://gw:secret@{where}")) as probe:
        probe.deliver(probe.publish("a", b"1", 1))
    with pytest.raises(ProbeError, match="refused"), MqttProbe(at(f"mqtt://gw:wrong@{where}")):
        pass


def test_a_lost_connection_is_told(mosquitto: Callable[..., str]) -> None:
    """Another client with the same id takes over; the first says that it is out."""
    where = at(mosquitto())

    def wait(probe: MqttProbe) -> None:
        while True:
            probe.pump()

    with (
        MqttProbe(where, client_id="one") as first,
        MqttProbe(where, client_id="one"),
        pytest.raises(ProbeError, match="connection"),
    ):
        wait(first)


@pytest.mark.parametrize(("qos", "rate"), [(0, 0), (1, 0), (2, 0), (1, 2000)])
def test_a_bench_counts_what_comes_back(mosquitto: Callable[..., str], qos: int, rate: float) -> None:
    """Every message once, with a latency each; others on the topic are not counted."""
    where = at(mosquitto())
    with MqttProbe(where, in_flight=20) as probe, MqttProbe(where) as other:
        other.deliver(other.publish("b", b"x" * 64, 1, retain=True))
        result = run(probe, topic="b", count=200, rate=rate, size=64, qos=qos, window=20)
    facts: dict[str, Any] = result.to_json()
    assert (facts["sent"], facts["received"], len(result.latencies_ms)) == (200, 200, 200)
    assert facts["latency_ms"]["p50"] <= facts["latency_ms"]["p99"] <= facts["latency_ms"]["max"]


def test_percentiles() -> None:
    """Of a hundred and one values in a row, and of one and none."""
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    assert percentiles([7.0]) == {"p50": 7.0, "p90": 7.0, "p99": 7.0, "max": 7.0}
    assert percentiles([]) == {}
