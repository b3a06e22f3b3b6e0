"""Our OPC UA server, with its evidence, beside stock asyncua, node-opcua and open62541, in the same run.

    python benchmarks/opcua.py [--parts reads,evidence,subscriptions,starts] [--rounds N] [--seconds S] [--tags N]
                               [--only labsim,labsim-graded,asyncua,node,open62541]

Each server runs in a process of its own and has the same doubles. ``labsim`` counts reads as a lab does whose checks ask for
none of them, ``labsim-graded`` keeps each read, as where checks ask for all (docs/architecture.md, Polls). A client that has its
requests signed and encrypted before the clock runs, and does not decode the answers, drives all alike over loopback, four in
flight: a Read of 1 and of 100 nodes, without security and with Basic256Sha256 SignAndEncrypt. Rounds are interleaved, so that
other work on the machine hits all. Rates of two runs do not compare; the ratios of one run do, and those of the processor's time
most. Then what evidence adds to a request; ten clients with 50 items each, which change twice a second; the seconds from process
start to listening, and the memory of another server in the same process.

node-opcua needs ``npm --prefix benchmarks install`` ; open62541 comes through
``pip install o6``, whose free mode ends after ten minutes. What is missing is left out, and said so.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.ua_binary import struct_to_binary
from opcua_servers import free_port

from labsim.endpoints.opcua.core.certificate import key_pem, make_pair

HERE = Path(__file__).parent
KINDS = ("asyncua", "node", "open62541", "labsim", "labsim-graded")
IN_FLIGHT = 4
CLIENTS, ITEMS, TICK_MS, QUICK_MS = 10, 50, 500, 50
URI = "urn:bench:client"
_MODES = ((False, "None"), (True, "SignAndEncrypt"))


class Running:
    """A server in a process of its own."""

    def __init__(self, kind: str, count: int, tick: int = 0, further: int = 0) -> None:
        if kind == "node":
            command = ["node", str(HERE / "opcua_node.js"), str(free_port()), str(count), str(tick)]
        else:
            command = [sys.executable, str(HERE / "opcua_servers.py"), kind, str(count), str(tick), str(further)]
        begin = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        told = self.line()
        self.started = time.perf_counter() - begin
        self.url, self.namespace = told["url"], told["namespace"]

    def line(self) -> dict[str, Any]:
        """The next line of JSON it prints; other lines are its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise SystemExit(f"a server did not start: {self.process.args}")

    def cpu(self) -> float:
        """Seconds of processor it has used; 0 where the system does not say."""
        path = Path(f"/proc/{self.process.pid}/stat")
        if not path.exists():
            return 0.0
        fields = path.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


class Pump(asyncio.Protocol):
    """Takes an opened connection over and sends one request again and again; answers are known by their headers."""

    def __init__(self, client: Client, body: bytes) -> None:
        protocol = client.uaclient.protocol
        self.body, self._request = body, 1_000_000
        self._connection = protocol._connection  # noqa: SLF001 - it knows the keys
        self._rest, self._ready, self._left = b"", iter(list[bytes]()), 0
        self._done = asyncio.Event()
        self.transport = protocol.transport
        self.transport.set_protocol(self)

    async def ask(self, count: int) -> float:
        """Seconds until so many requests were answered; they are sealed before the clock runs."""
        first = self._request + 1
        self._request += count
        sealed = [self._connection.message_to_binary(self.body, request_id=first + n) for n in range(count)]
        self._ready, self._left = iter(sealed), count
        self._done.clear()
        begin = time.perf_counter()
        for _ in range(IN_FLIGHT):
            self._send()
        await self._done.wait()
        return time.perf_counter() - begin

    def _send(self) -> None:
        message = next(self._ready, None)
        if message is not None:
            self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        """Count final chunks."""
        data, at = self._rest + data, 0
        while len(data) - at >= 8:
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if len(data) - at < size:
                break
            assert data[at : at + 3] == b"MSG", data[at : at + 60]
            if data[at + 3 : at + 4] == b"F":
                self._left -= 1
                self._send()
            at += size
        self._rest = data[at:]
        if self._left <= 0:
            self._done.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        if self._left > 0:
            raise SystemExit(f"a server hung up: {exc}")


async def connect(running: Running, secure: bool, folder: Path) -> Client:
    """An asyncua client with a session."""
    client = Client(running.url, timeout=20)
    client.application_uri = URI
    if secure:
        mode = ua.MessageSecurityMode.SignAndEncrypt
        paths = str(folder / "client.der"), str(folder / "client.pem")
        await client.set_security(SecurityPolicyBasic256Sha256, *paths, mode=mode)
    await client.connect()
    for task in ("_supervisor_task", "_stale_watchdog_task", "_renew_channel_task"):  # they would send on it as well
        held = getattr(client, task, None)
        if held is not None:
            held.cancel()
    return client


def read_of(count: int, namespace: int) -> Any:
    """A Read of the first tags."""
    asked = ua.ReadRequest()
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    asked.Parameters.NodesToRead = [
        ua.ReadValueId(ua.NodeId(f"bench.tag{n}", namespace), ua.AttributeIds.Value) for n in range(count)
    ]
    return asked


def write_of(count: int, namespace: int) -> Any:
    """A Write of the first tags."""
    asked = ua.WriteRequest()
    value = ua.DataValue(ua.Variant(4.5, ua.VariantType.Double))
    asked.Parameters.NodesToWrite = [
        ua.WriteValue(ua.NodeId(f"bench.tag{n}", namespace), ua.AttributeIds.Value, None, value) for n in range(count)
    ]
    return asked


async def rate(running: Running, asked: Any, secure: bool, seconds: float, folder: Path) -> tuple[float, float]:
    """Requests per second, and microseconds of the server's processor for one."""
    client = await connect(running, secure, folder)
    asked.RequestHeader.AuthenticationToken = client.uaclient.protocol.authentication_token
    if isinstance(asked, ua.ReadRequest):
        values = await client.uaclient.read(asked.Parameters)
        assert all(one.StatusCode.is_good() and one.Value.VariantType == ua.VariantType.Double for one in values), (
            values
        )
    else:
        assert all(one.is_good() for one in await client.uaclient.write(asked.Parameters))
    pump = Pump(client, struct_to_binary(asked))
    warm = 100 if len(struct_to_binary(asked)) > 1000 else 500
    count = max(int(warm / await pump.ask(warm) * seconds), warm)
    processor = running.cpu()
    took = await pump.ask(count)
    used = running.cpu() - processor
    closing = ua.CloseSessionRequest()  # node-opcua has room for ten sessions
    closing.RequestHeader.AuthenticationToken, closing.DeleteSubscriptions = (
        asked.RequestHeader.AuthenticationToken,
        True,
    )
    pump.body = struct_to_binary(closing)
    await pump.ask(1)
    pump.transport.abort()
    return count / took, used / count * 1e6


class Count:
    """Counts notifications."""

    def __init__(self) -> None:
        self.number = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        """One more."""
        self.number += 1


async def subscribed(
    running: Running, secure: bool, seconds: float, folder: Path, period: int = TICK_MS
) -> tuple[float, float]:
    """Notifications per second to ten clients, and percent of a core the server took."""
    count, clients = Count(), []
    for number in range(CLIENTS):
        client = await connect(running, secure, folder)
        subscription = await client.create_subscription(period, count)
        first = number * ITEMS
        await subscription.subscribe_data_change(
            [client.get_node(f"ns={running.namespace};s=bench.tag{n}") for n in range(first, first + ITEMS)]
        )
        clients.append(client)
    await asyncio.sleep(1.5)
    before, processor, begin = count.number, running.cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - begin
    found = (count.number - before) / took, (running.cpu() - processor) / took * 100
    for client in clients:
        client.disconnect_socket()
    return found


def there(kinds: list[str]) -> list[str]:
    """The kinds that can be run here."""
    found = []
    for kind in kinds:
        if kind == "open62541" and importlib.util.find_spec("o6") is None:
            print("open62541 is left out: pip install o6")
        elif kind == "node" and not shutil.which("node"):
            print("node-opcua is left out: there is no node")
        elif kind == "node" and not (HERE / "node_modules" / "node-opcua").is_dir():
            print("node-opcua is left out: npm --prefix benchmarks install")
        else:
            found.append(kind)
    return found


def table(title: str, rows: dict[str, float], unit: str, more_is_better: bool = True) -> None:
    """Print a row for each server, with our ratio to it."""
    ours = rows.get("labsim", 0.0)
    print(f"\n{title}")
    for kind, value in rows.items():
        ratio = (ours / value if more_is_better else value / ours) if value and ours else 0.0
        print(f"  {kind:12}{value:12.1f} {unit:22}{f'labsim {ratio:6.2f} times as good' if kind != 'labsim' else ''}")


def reads(kinds: list[str], rounds: int, seconds: float, tags: int, folder: Path) -> None:
    """Rates of Read."""
    servers = {kind: Running(kind, tags) for kind in kinds}
    found: dict[tuple[int, bool, str], list[tuple[float, float]]] = {}
    try:
        for _ in range(rounds):
            for count in (1, 100):
                for secure, _name in _MODES:
                    for kind, running in servers.items():
                        asked = read_of(count, running.namespace)
                        row = found.setdefault((count, secure, kind), [])
                        row.append(asyncio.run(rate(running, asked, secure, seconds, folder)))
    finally:
        for running in servers.values():
            running.stop()
    for count in (1, 100):
        for secure, name in _MODES:
            both = {kind: medians(found[count, secure, kind]) for kind in kinds}
            title = f"Read of {count}, {name}"
            table(title, {kind: one[0] for kind, one in both.items()}, "requests/s")
            table(f"{title}: processor", {kind: one[1] for kind, one in both.items()}, "us/request", False)


def medians(rows: list[tuple[float, float]]) -> list[float]:
    """The median of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def evidence(rounds: int, seconds: float, tags: int, folder: Path) -> None:
    """What evidence adds to a request: the same server with a mute observer, with reads counted, with each one kept.

    The quick ways of the core make a request so cheap that little beside it looks like much: so the plain way, as any request
    that does not come again takes it, is measured too, and what evidence adds is told in percent of either.
    """
    ways = {
        "labsim-mute": "without", "labsim": "reads counted", "labsim-graded": "reads kept", "labsim-plain": "plain",
    }  # fmt: skip
    servers = {kind: Running(kind, tags) for kind in ways}
    requests = {
        "Read of 1": (read_of, 1),
        "Read of 100": (read_of, 100),
        "Write of 1": (write_of, 1),
        "Write of 100": (write_of, 100),
    }
    found: dict[tuple[str, bool, str], list[tuple[float, float]]] = {}
    try:
        for _ in range(rounds):
            for title, (make, count) in requests.items():
                for secure, _name in _MODES:
                    for kind, running in servers.items():
                        row = found.setdefault((title, secure, kind), [])
                        row.append(asyncio.run(rate(running, make(count, running.namespace), secure, seconds, folder)))
    finally:
        for running in servers.values():
            running.stop()
    publishing: dict[str, list[float]] = {}
    for _ in range(rounds):
        for kind in ways:
            running = Running(kind, tags, QUICK_MS)
            try:
                arrived, percent = asyncio.run(subscribed(running, False, seconds * 3, folder, QUICK_MS))
                publishing.setdefault(kind, []).append(percent / arrived * ITEMS * 1e4)
            finally:
                running.stop()
    print(
        "\nEvidence: microseconds of processor for a request, and what evidence adds to it; in brackets the percent of the"
    )
    print("same request without evidence, then of one on the plain path without evidence, which is the last column")
    for title in requests:
        for secure, name in _MODES:
            added(f"{title}, {name}", {way: medians(found[title, secure, kind])[1] for kind, way in ways.items()})
    added(f"a notification of {ITEMS} values", {way: statistics.median(publishing[kind]) for kind, way in ways.items()})


def added(title: str, used: dict[str, float]) -> None:
    """Print a row: microseconds, and what they are more than in the first column, in percent of that and of the last."""
    (first, least), *others, (last, plain) = used.items()
    told = [f"{way} {one:7.1f} ({(one - least) / least:+5.0%}, {(one - least) / plain:+5.0%})" for way, one in others]
    print(f"  {title:30}" + "  ".join([f"{first} {least:7.1f}", *told, f"{last} {plain:7.1f}"]))


def subscriptions(kinds: list[str], seconds: float, tags: int, folder: Path) -> None:
    """Load of ten clients."""
    for secure, name in _MODES:
        rows: dict[str, tuple[float, float]] = {}
        for kind in kinds:
            running = Running(kind, tags, TICK_MS)
            try:
                rows[kind] = asyncio.run(subscribed(running, secure, seconds, folder))
            finally:
                running.stop()
        title = f"{CLIENTS} clients x {ITEMS} items that change every {TICK_MS} ms, {name}"
        table(f"{title}: arrived", {kind: row[0] for kind, row in rows.items()}, "notifications/s")
        table(f"{title}: processor", {kind: row[1] for kind, row in rows.items()}, "% of a core", False)


def starts(kinds: list[str], rounds: int, tags: int) -> None:
    """Seconds to listening, and megabytes of another server."""
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            running = Running(kind, tags)
            took[kind].append(running.started * 1000)
            running.stop()
    medians = {kind: statistics.median(row) for kind, row in took.items()}
    table("Start to listening", medians, "ms", False)
    memory, making = {}, {}
    for kind in kinds:
        if kind != "node":
            running = Running(kind, tags, 0, 20 if kind == "labsim" else 3)
            told = running.line()
            memory[kind], making[kind] = told["mb"], told["ms"]
            running.stop()
    table("Memory of another server in the process", memory, "MB", False)
    table("Making another server in the process", making, "ms", False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--parts", default="reads,evidence,subscriptions,starts")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    kinds = there([kind for kind in KINDS if kind in options.only.split(",")])
    with tempfile.TemporaryDirectory(prefix="labsim-bench-") as name:
        folder, pair = Path(name), make_pair(URI, "client")
        (folder / "client.der").write_bytes(pair.der)
        (folder / "client.pem").write_bytes(key_pem(pair.key))
        if "reads" in options.parts:
            reads(kinds, options.rounds, options.seconds, options.tags, folder)
        if "evidence" in options.parts:
            evidence(options.rounds, options.seconds, options.tags, folder)
        if "subscriptions" in options.parts:
            subscriptions(kinds, options.seconds * 3, options.tags, folder)
        if "starts" in options.parts:
            starts(kinds, options.rounds, options.tags)


if __name__ == "__main__":
    main()
