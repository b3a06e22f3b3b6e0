"""From process start to the first answered OPC UA read: labsim's endpoint beside stock asyncua, each in a fresh process.

Usage: ``python benchmarks/opcua_start.py [--rounds 5] [--tags 500]``. Both serve the same number of Double variables in
folders of 50; one client in this process connects to the port they print and reads the last variable. The table shows the
median of the rounds, taken in turn, and their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import time

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


def measure(kind: str, count: int) -> tuple[float, float]:
    """Seconds from process start until it says it listens, and until the first read is answered."""
    begin = time.perf_counter()
    command = [sys.executable, __file__, "--serve", kind, "--tags", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            url, name = process.stdout.readline().split()
            listening = time.perf_counter() - begin
            asyncio.run(read(url, name))
            answered = time.perf_counter() - begin
        finally:
            process.kill()
    return listening, answered


async def read(url: str, name: str) -> None:
    """Connect and read one variable."""
    from asyncua import Client

    async with Client(url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        assert await client.get_node(f"ns={index};s={name}").read_value() == 0.0


def compare(rounds: int, count: int) -> None:
    """Take turns and print the medians."""
    logging.disable(logging.WARNING)  # the client's remark on its session timeout
    import asyncua.client  # noqa: F401 - loaded before the clock starts

    took: dict[str, list[tuple[float, float]]] = {"stock": [], "labsim": []}
    for _ in range(rounds):
        for kind, rows in took.items():
            rows.append(measure(kind, count))
    print(f"{count} tags, {rounds} rounds, median seconds from process start")
    print(f"{'':8}{'listening':>12}{'first read':>12}")
    medians = {}
    for kind, rows in took.items():
        listening, answered = (statistics.median(column) for column in zip(*rows, strict=True))
        medians[kind] = answered
        print(f"{kind:8}{listening:12.3f}{answered:12.3f}")
    print(f"labsim answers {medians['stock'] / medians['labsim']:.2f} times sooner")


def main() -> None:
    """Command line; ``--serve`` is for the processes it starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--serve", choices=("labsim", "stock"))
    options = parser.parse_args()
    if options.serve:
        asyncio.run((labsim_server if options.serve == "labsim" else stock_server)(options.tags))
    else:
        compare(options.rounds, options.tags)


if __name__ == "__main__":
    main()
