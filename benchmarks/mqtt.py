"""One publisher and one subscriber through labsim's broker, with its journal on disk, and through mosquitto.

Usage: ``python benchmarks/mqtt.py [--rounds 5] [--messages 20000] [--mosquitto PATH]``. Each broker runs in a process of its
own; the clients are plain sockets in this one, so that they cost the same beside either. *Lone* sends one message and waits
for it; *batched* sends segments of 100 messages and has at most 400 on their way. Rounds are taken in turn; the table shows
the median rates and their ratio, labsim to mosquitto, and the processor time that each broker took for a message (Linux):
the ratio of that stays what it is when the machine is busy with other work. Every message that labsim passes on is in its
journal.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOPIC = b"\x00\x10plant/cell1/temp"
PAYLOAD = b'{"value": 21.53, "unit": "degC", "time": 1700000}'
BATCH, AHEAD = 100, 4


async def serve_labsim(folder: Path) -> None:
    """Serve a broker whose sink is a real journal; prints its port."""
    from labsim.endpoints.mqtt.endpoint import MqttEndpoint
    from labsim.evidence.journal_writer import JournalWriter
    from labsim.plant.clock import SimClock
    from labsim.plant.plant import Plant

    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    clock = SimClock()
    journal = JournalWriter(folder, clock.now_ns)
    async with MqttEndpoint(Plant(1, clock), [], journal.write) as endpoint:
        print(endpoint.port, flush=True)
        await asyncio.Event().wait()


@contextmanager
def labsim() -> Iterator[tuple[int, int]]:
    """Port and process id of a fresh labsim broker."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline()), process.pid
            finally:
                process.kill()


@contextmanager
def mosquitto(program: str) -> Iterator[tuple[int, int]]:
    """Port and process id of a fresh mosquitto."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
            "max_inflight_messages 0\n",
            encoding="utf-8",
        )
        with subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                until = time.monotonic() + 10
                while time.monotonic() < until:
                    with socket.socket() as probe:
                        if not probe.connect_ex(("127.0.0.1", port)):
                            break
                yield port, process.pid
            finally:
                process.kill()


def client(port: int, name: bytes, qos: int | None = None) -> socket.socket:
    """A connected client, subscribed when it has a QoS."""
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.sendall(b"\x10" + bytes((12 + len(name),)) + b"\x00\x04MQTT\x04\x02\x00\x00\x00" + bytes((len(name),)) + name)
    read(made, 4)
    if qos is not None:
        made.sendall(b"\x82" + bytes((3 + len(TOPIC),)) + b"\x00\x01" + TOPIC + bytes((qos,)))
        read(made, 5)
    return made


def read(source: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed")
        data += more
    return data


def messages(qos: int, count: int) -> bytes:
    """So many PUBLISH packets with identifiers from 1."""
    length = len(TOPIC) + len(PAYLOAD) + (2 if qos else 0)
    head = bytes((0x30 | qos << 1, length)) + TOPIC
    return b"".join(head + (mid.to_bytes(2, "big") if qos else b"") + PAYLOAD for mid in range(1, count + 1))


def measure(port: int, qos: int, batch: int, ahead: int, count: int) -> float:
    """Messages a second from the publisher to the subscriber, all acknowledged on both sides."""
    writer, reader = client(port, b"writer"), client(port, b"reader", qos)
    size = len(messages(qos, 1))
    segment = messages(qos, batch)
    place = 2 + len(TOPIC)
    sent = got = acknowledged = 0
    begin = time.perf_counter()
    while got < count:
        while sent < count and sent - got < batch * ahead:
            if qos and sent - acknowledged >= batch * (ahead - 1) > 0:
                read(writer, 4 * batch)
                acknowledged += batch
            writer.sendall(segment)
            sent += batch
        data = read(reader, size * batch)
        got += batch
        if qos:
            reader.sendall(b"".join(b"\x40\x02" + data[at : at + 2] for at in range(place, len(data), size)))
            if ahead == 1:
                read(writer, 4 * batch)
                acknowledged += batch
    if acknowledged < sent and qos:
        read(writer, 4 * (sent - acknowledged))
    took = time.perf_counter() - begin
    writer.close()
    reader.close()
    return count / took


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process has taken; NaN where the system does not tell it in /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return math.nan
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


CASES = {"QoS 0 lone": (0, 1, 1), "QoS 0 batched": (0, BATCH, AHEAD), "QoS 1 lone": (1, 1, 1),
         "QoS 1 batched": (1, BATCH, AHEAD)}  # fmt: skip


def compare(rounds: int, count: int, program: str) -> None:
    """Take turns and print the medians."""
    rates: dict[str, dict[str, list[float]]] = {case: {"mosquitto": [], "labsim": []} for case in CASES}
    costs: dict[str, dict[str, list[float]]] = {case: {"mosquitto": [], "labsim": []} for case in CASES}
    for _ in range(rounds):
        for name in ("mosquitto", "labsim"):
            with mosquitto(program) if name == "mosquitto" else labsim() as (port, pid):
                for case, (qos, batch, ahead) in CASES.items():
                    many, before = count if batch > 1 else count // 10, processor_s(pid)
                    rates[case][name].append(measure(port, qos, batch, ahead, many))
                    costs[case][name].append((processor_s(pid) - before) / many * 1e6)
    print(f"{count} messages ({count // 10} lone), {rounds} rounds in turn, medians")
    print(
        f"{'':14}{'messages/s: mosquitto':>22}{'labsim':>9}{'ratio':>7}{'us each: mosquitto':>20}{'labsim':>8}{'ratio':>7}"
    )
    for case in CASES:
        theirs, ours = (statistics.median(rates[case][name]) for name in ("mosquitto", "labsim"))
        their, our = (statistics.mean(costs[case][name]) for name in ("mosquitto", "labsim"))
        print(f"{case:14}{theirs:22,.0f}{ours:9,.0f}{ours / theirs:7.2f}{their:20.1f}{our:8.1f}{their / our:7.2f}")


def main() -> None:
    """Command line; ``--serve`` is for the process it starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--mosquitto", default=shutil.which("mosquitto") or "/usr/sbin/mosquitto")
    parser.add_argument("--serve", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.serve:
        from labsim.lab.loop import run

        run(serve_labsim(options.serve))
    else:
        compare(options.rounds, options.messages, options.mosquitto)


if __name__ == "__main__":
    main()
