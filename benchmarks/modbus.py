"""Our Modbus server with the real journal as its sink beside libmodbus, in the same run.

    python benchmarks/modbus.py [--rounds N] [--seconds S]

Each server runs in a process of its own; one client drives both alike over loopback: ten holding registers per request, one
request in flight, then sixteen pipelined. Rounds are interleaved, so that other work on the machine hits both. Rates of two
runs do not compare; the ratios of one run do. libmodbus is Debian's ``libmodbus5``, loaded with ctypes.

Where the processes run decides what one request in flight measures, so both cases are shown. A client elsewhere wakes the
server's core with every request: that is "apart", the server on a core of its own, and what the goals are about. "Shared" puts
client and server on one core, where nothing sleeps: the plain cost of the code, which no network ever sees.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import ctypes.util
import multiprocessing
import os
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

COUNT = 10
GOALS = {1: 0.8, 16: 0.6}
_REQUEST = struct.Struct(">HHHBBHH")
_ANSWER = 9 + 2 * COUNT


def serve_libmodbus(ready: Connection) -> None:
    """A C server over a register array: one client, select-free, as its own examples are written."""
    name = ctypes.util.find_library("modbus") or "libmodbus.so.5"
    lib = ctypes.CDLL(name)
    lib.modbus_new_tcp.restype = ctypes.c_void_p
    lib.modbus_mapping_new.restype = ctypes.c_void_p
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", port))
    mapping = ctypes.c_void_p(lib.modbus_mapping_new(100, 100, 200, 200))
    listener = ctypes.c_int(lib.modbus_tcp_listen(context, 16))
    assert listener.value >= 0, "libmodbus cannot listen"
    ready.send(port)
    query = (ctypes.c_uint8 * 260)()
    while True:
        lib.modbus_tcp_accept(context, ctypes.byref(listener))
        # libmodbus answers pipelined requests one write each and leaves Nagle on; without this they take 40 ms.
        with socket.socket(fileno=os.dup(lib.modbus_get_socket(context))) as accepted:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (size := lib.modbus_receive(context, query)) >= 0:
            if size:
                lib.modbus_reply(context, query, size, mapping)
        lib.modbus_close(context)


def serve_labsim(ready: Connection) -> None:
    """Our endpoint over a device of ten f32 tags, every request kept in the journal of a real attempt."""
    from labsim.endpoints.modbus.endpoint import ModbusEndpoint
    from labsim.evidence.attempt import Attempt
    from labsim.evidence.manifest import Manifest
    from labsim.plant.clock import SimClock
    from labsim.plant.device import Device
    from labsim.plant.interface import Interface
    from labsim.plant.plant import DeviceType, Plant

    kind = Interface.model_validate(
        {
            "type": "bench",
            "title": "Bench",
            "about": "Registers to read.",
            "identification": {"manufacturer": "Labsim", "model": "B", "revision": "1", "serial": "B{number}"},
            "tags": {
                f"value_{i}": {"type": "f32", "unit": "V", "title": f"Value {i}", "initial": 230.5 + i}
                for i in range(10)
            },
            "modbus": {"registers": [{"doc": 1 + 2 * i, "tag": f"value_{i}", "type": "f32"} for i in range(10)]},
        }
    )
    clock = SimClock()
    plant = Plant(1, clock)
    plant.add("bench1", DeviceType(kind, Device))
    plant.start()

    async def run(folder: Path) -> None:
        manifest = Manifest.new(
            scenario="bench", title={"en": "Bench"}, seed="1", variants={}, speed=1.0, lang="en", utc_origin_ns=0
        )
        with Attempt.create(folder, manifest=manifest, tags=[], scenario_files={}, clock_t=clock.now_ns) as attempt:
            async with ModbusEndpoint(plant, {1: "bench1"}, attempt.keep) as endpoint:
                ready.send(int(endpoint.addresses()[0].url.rpartition(":")[2]))
                await asyncio.Event().wait()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "attempt"))


def drive(port: int, window: int, seconds: float) -> float:
    """Requests answered per second with ``window`` of them in flight, all checked for length and function."""
    batch = b"".join(_REQUEST.pack(n, 0, 6, 1, 3, 0, COUNT) for n in range(window))
    done, wanted = 0, _ANSWER * window
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = now = time.perf_counter()
        while now - began < seconds:
            for _ in range(50):
                sock.sendall(batch)
                answer = b""
                while len(answer) < wanted:
                    part = sock.recv(65536)
                    assert part, "the server hung up"
                    answer += part
                assert answer[-_ANSWER + 7] == 3, answer.hex()
                done += window
            now = time.perf_counter()
    return done / (now - began)


def start(serve: Callable[[Connection], None]) -> tuple[Any, int]:
    """The server's process and its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    assert ours.poll(30), f"{serve.__name__} did not start"
    return process, ours.recv()


def place(pid: int, core: int) -> None:
    """Put all threads of a process on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def main() -> None:
    """Print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="per measurement")
    options = parser.parse_args()
    servers = {"libmodbus": start(serve_libmodbus), "labsim": start(serve_labsim)}
    cores = sorted(os.sched_getaffinity(0))
    assert len(cores) > 1, "two cores are needed"
    os.sched_setaffinity(0, {cores[0]})
    rates: dict[tuple[str, int, str], list[float]] = {}
    for round_ in range(options.rounds):
        for placement, core in (("apart", cores[1]), ("shared", cores[0])):
            for process, _ in servers.values():
                place(process.pid, core)
            for window in GOALS:
                order = list(servers.items())
                for name, (_, port) in order if round_ % 2 else reversed(order):
                    rates.setdefault((placement, window, name), []).append(drive(port, window, options.seconds))
    for process, _ in servers.values():
        process.terminate()
    print(
        f"{'cores':>7}  {'in flight':>9}  {'libmodbus req/s':>15}  {'labsim req/s':>12}  {'ratio':>5}  rounds' ratios"
    )
    for placement in ("apart", "shared"):
        for window, goal in GOALS.items():
            theirs, ours = rates[placement, window, "libmodbus"], rates[placement, window, "labsim"]
            each = [a / b for a, b in zip(ours, theirs, strict=True)]
            ratio = statistics.median(each)
            said = f"goal {goal} {'met' if ratio >= goal else 'missed'}" if placement == "apart" else ""
            print(
                f"{placement:>7}  {window:>9}  {statistics.median(theirs):>15,.0f}  {statistics.median(ours):>12,.0f}"
                f"  {ratio:>5.2f}  {min(each):.2f} to {max(each):.2f}  {said}"
            )


if __name__ == "__main__":
    main()
