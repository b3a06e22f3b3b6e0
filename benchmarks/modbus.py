"""A running lab as a Modbus server beside libmodbus, in the same run.

    python benchmarks/modbus.py [--rounds N] [--seconds S] [--loop asyncio|uvloop]

Each server runs in a process of its own; one client drives all alike over loopback: ten holding registers per request, one
request in flight, then sixteen pipelined. Rounds are interleaved, so that other work on the machine hits all. Rates of two
runs do not compare; the ratios of one run do. libmodbus is Debian's ``libmodbus5``, loaded with ctypes.

The lab is a whole one with its plant, recorder, journal and feed, and is read in two ways. A *poll* reads a meter that no check
looks at, which is what nearly all reads are: it is counted, and each second of it is an event. A *graded* read is one that a
check looks at: every single one is a line of the journal before its answer leaves. The goals are held against both.

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
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

COUNT = 10
GOALS = {1: 0.8, 16: 0.6}
FIRST = 3019
GRADED, ORDINARY = 11, 12
SCENARIO = """
labsim: 1
id: bench
title: Bench
level: junior
minutes: 10
plant: {meter1: {type: power-meter}, meter2: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1, 12: meter2}}}]
tasks: [{id: read, title: Read, marks: 1, checks: [{modbus.polled: {device: meter1, every: 1 s, for: 1 min, marks: 1}}]}]
"""
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


def serve_labsim(ready: Connection, loop: str) -> None:
    """A lab with two meters, of which a check looks at the first."""
    from labsim.lab.lab import Lab
    from labsim.lab.loop import run as run_host
    from labsim.lab.options import Options

    async def run(folder: Path) -> None:
        (folder / "scenario").mkdir()
        (folder / "scenario" / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
        options = Options(seed="bench", attempt=folder / "attempt", port_base=0)
        async with Lab(folder / "scenario", options) as lab:
            ready.send(int(lab.addresses()[0]["url"].rpartition(":")[2]))
            await asyncio.Event().wait()

    with tempfile.TemporaryDirectory() as folder:
        (asyncio.run if loop == "asyncio" else run_host)(run(Path(folder)))


def drive(port: int, unit: int, first: int, window: int, seconds: float) -> float:
    """Requests answered per second with ``window`` of them in flight, all checked for length and function."""
    batch = b"".join(_REQUEST.pack(n, 0, 6, unit, 3, first, COUNT) for n in range(window))
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


def start(serve: Callable[..., None], *arguments: str) -> tuple[Any, int]:
    """The server's process and its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, *arguments), daemon=True)
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
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop" if find_spec("uvloop") else "asyncio")
    options = parser.parse_args()
    theirs, their_port = start(serve_libmodbus)
    lab, port = start(serve_labsim, options.loop)
    rivals = {"libmodbus": (their_port, 1, 0), "poll": (port, ORDINARY, FIRST), "graded": (port, GRADED, FIRST)}
    cores = sorted(os.sched_getaffinity(0))
    assert len(cores) > 1, "two cores are needed"
    os.sched_setaffinity(0, {cores[0]})
    rates: dict[tuple[str, int, str], list[float]] = {}
    for round_ in range(options.rounds):
        for placement, core in (("apart", cores[1]), ("shared", cores[0])):
            for process in (theirs, lab):
                place(process.pid, core)
            for window in GOALS:
                order = list(rivals.items())
                for name, where in order if round_ % 2 else reversed(order):
                    rates.setdefault((placement, window, name), []).append(drive(*where, window, options.seconds))
    for process in (theirs, lab):
        process.terminate()
    print(
        f"{options.loop}; requests/s and ratio to libmodbus, medians of {options.rounds} rounds, lowest and highest ratio"
    )
    print(f"{'cores':>7}  {'in flight':>9}  {'libmodbus':>9}  {'poll':>8}  {'ratio':>19}  {'graded':>8}  {'ratio':>19}")
    for placement in ("apart", "shared"):
        for window, goal in GOALS.items():
            base = rates[placement, window, "libmodbus"]
            line = f"{placement:>7}  {window:>9}  {statistics.median(base):>9,.0f}"
            for name in ("poll", "graded"):
                ours = rates[placement, window, name]
                each = [a / b for a, b in zip(ours, base, strict=True)]
                ratio = statistics.median(each)
                said = f"{ratio:.2f} ({min(each):.2f}-{max(each):.2f})"
                met = ("met" if ratio >= goal else "missed") if placement == "apart" else ""
                line += f"  {statistics.median(ours):>8,.0f}  {said:>12} {met:>6}"
            print(line)
    print(f"goals, apart: {GOALS[1]} with one in flight, {GOALS[16]} with sixteen")


if __name__ == "__main__":
    main()
