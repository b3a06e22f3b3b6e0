"""From process start to the first answered OPC UA read: labsim beside stock asyncua, each in a fresh process.

Usage: ``python benchmarks/opcua_start.py [--rounds 5] [--tags 45]``. Three servers take turns: stock asyncua and labsim's
endpoint alone, each with the same number of Double variables in folders of 50, and the whole of ``labsim run first-contact``
with three protocols, evidence and control API (its mill has 45 variables). One client in this process connects to the port
they print and reads one variable. The table shows the median of the rounds, and how much sooner than stock each answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

FOLDER = 50
NAMESPACE = "urn:labsim:benchmark"


async def labsim_server(count: int) -> None:
    """Serve ``count`` tags of one device from labsim."""
    from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
    from labsim.plant.clock import SimClock
    from labsim.plant.device import Device
    from labsim.plant.interface import Interface
    from labsim.plant.plant import DeviceType, Plant

    interface = Interface.model_validate(
        {
            "type": "bench",
            "title": "Bench",
            "about": "Many tags.",
            "identification": {"manufacturer": "Fictional", "model": "B", "revision": "1", "serial": "1"},
            "tags": {f"tag{n}": {"type": "f64", "title": f"Tag {n}"} for n in range(count)},
            "opcua": {
                "namespace": NAMESPACE,
                "type_name": "BenchType",
                "nodes": {f"Folder{n // FOLDER}/Tag{n}": f"tag{n}" for n in range(count)},
            },
        }
    )
    plant = Plant(1, SimClock())
    plant.add("bench", DeviceType(interface, Device))
    plant.start()
    async with OpcuaEndpoint(plant, ["bench"], lambda _event: None) as endpoint:
        print(endpoint.addresses()[0].url, f"bench.tag{count - 1}", flush=True)
        await asyncio.Event().wait()


async def stock_server(count: int) -> None:
    """Serve ``count`` variables from asyncua's own server, as its documentation shows it."""
    from asyncua import Server, ua

    port = free_port()
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    index = await server.register_namespace(NAMESPACE)
    folder = server.nodes.objects
    for number in range(count):
        if number % FOLDER == 0:
            folder = await server.nodes.objects.add_folder(index, f"Folder{number // FOLDER}")
        node_id = ua.NodeId(f"bench.tag{number}", index)
        await folder.add_variable(node_id, f"Tag{number}", 0.0)
    async with server:
        print(f"opc.tcp://127.0.0.1:{port}", f"bench.tag{count - 1}", flush=True)
        await asyncio.Event().wait()


def free_port() -> int:
    """A TCP port that nothing uses now; asyncua does not tell which one it got for 0."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(kind: str, count: int, folder: str) -> tuple[float, float]:
    """Seconds from process start until it says it listens, and until the first read is answered."""
    if kind == "run":
        command = [sys.executable, "-m", "labsim", "run", "first-contact", "--headless", "--json", "--port-base", "0"]
        command += ["--attempt", str(Path(folder) / uuid.uuid4().hex)]
    else:
        command = [sys.executable, __file__, "--serve", kind, "--tags", str(count)]
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            listening = time.perf_counter() - begin
            if kind == "run":
                rows = json.loads(line)["endpoints"]
                url = next(row["url"] for row in rows if row["protocol"] == "opcua")
                asyncio.run(read(url, "urn:labsim:cnc-mill", "mill1.parts_completed"))
            else:
                url, name = line.split()
                asyncio.run(read(url, NAMESPACE, name))
            answered = time.perf_counter() - begin
        finally:
            process.kill()
    return listening, answered


async def read(url: str, namespace: str, name: str) -> None:
    """Connect and read one variable."""
    from asyncua import Client

    async with Client(url) as client:
        index = await client.get_namespace_index(namespace)
        assert await client.get_node(f"ns={index};s={name}").read_value() == 0


def compare(rounds: int, count: int) -> None:
    """Take turns and print the medians."""
    logging.disable(logging.WARNING)  # the client's remark on its session timeout
    import asyncua.client  # noqa: F401 - loaded before the clock starts

    took: dict[str, list[tuple[float, float]]] = {"stock": [], "labsim": [], "run": []}
    with tempfile.TemporaryDirectory(prefix="labsim-bench-") as folder:
        for _ in range(rounds):
            for kind, rows in took.items():
                rows.append(measure(kind, count, folder))
    print(f"{count} tags, {rounds} rounds, median seconds from process start")
    print(f"{'':24}{'listening':>12}{'first read':>12}{'stock / this':>14}")
    names = {"stock": "stock asyncua", "labsim": "labsim's endpoint", "run": "labsim run, the whole"}
    medians: dict[str, float] = {}
    for kind, rows in took.items():
        listening, answered = (statistics.median(column) for column in zip(*rows, strict=True))
        medians[kind] = answered
        print(f"{names[kind]:24}{listening:12.3f}{answered:12.3f}{medians['stock'] / answered:14.2f}")


def main() -> None:
    """Command line; ``--serve`` is for the processes it starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tags", type=int, default=45)
    parser.add_argument("--serve", choices=("labsim", "stock"))
    options = parser.parse_args()
    if options.serve:
        asyncio.run((labsim_server if options.serve == "labsim" else stock_server)(options.tags))
    else:
        compare(options.rounds, options.tags)


if __name__ == "__main__":
    main()
