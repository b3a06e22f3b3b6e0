"""The Python servers of ``opcua.py``: ``python opcua_servers.py KIND TAGS TICK_MS FURTHER``.

Ours is a KIND for each way of evidence: ``labsim`` as in a lab whose checks ask for none of its tags, so that reads which come
again are counted; ``labsim-graded``, where checks ask for all of them, so that each read is kept; ``labsim-mute``, which tells
nobody, for comparison; ``labsim-plain``, which tells nobody either and has the quick ways of the core switched off.

A server of KIND has TAGS doubles, which change every TICK_MS (0: never). It prints one line of JSON with its URL and the
index of its namespace.
With FURTHER it then makes so many servers more in the same process and says how much memory and time each took; ours with a
plant, a journal and a listening socket of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

FOLDER = 50
NAMESPACE = "urn:labsim:benchmark"
Step = Callable[[int], Any]


def resident_mb() -> float:
    """Memory of this process, as the system counts it; 0 where it does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def free_port() -> int:
    """A TCP port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mute:
    """An observer that keeps nothing."""

    def __call__(self, _happening: Any) -> None:
        """Nothing."""

    def gather(self) -> None:
        """Nothing."""

    def settle(self) -> None:
        """Nothing."""


async def labsim(count: int, evidence: str = "counted") -> tuple[str, int, Step, Any]:
    """Our endpoint over a plant of one device, with the real journal behind it: reads counted, graded, or all mute."""
    from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
    from labsim.evidence.journal_writer import JournalWriter
    from labsim.evidence.polls import Polls, keep_all
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
            "tags": {f"tag{n}": {"type": "f64", "title": f"Tag {n}", "access": "rw"} for n in range(count)},
            "opcua": {
                "namespace": NAMESPACE,
                "type_name": "BenchType",
                "nodes": {f"Folder{n // FOLDER}/Tag{n}": f"tag{n}" for n in range(count)},
            },
        }
    )
    folder = Path(tempfile.mkdtemp(prefix="labsim-bench-"))

    async def one(number: int) -> OpcuaEndpoint:
        plant = Plant(1, SimClock())
        plant.add("bench", DeviceType(interface, Device))
        plant.start()
        own = folder / str(number)
        own.mkdir()
        (own / "manifest.json").write_text("{}", encoding="utf-8")
        journal, now = JournalWriter(own, plant.clock.now_ns), plant.clock.now_ns
        polls = Polls(journal.write_all, keep_all if evidence == "graded" else lambda _read: False, now)
        endpoint = OpcuaEndpoint(plant, ["bench"], polls, anonymous="Operator")
        endpoint._core.quick = evidence != "plain"  # noqa: SLF001 - nobody else may switch it off
        if evidence in ("mute", "plain"):
            endpoint._core.observer = Mute()  # noqa: SLF001 - nor that
        endpoint.plant = plant  # type: ignore[attr-defined]  # kept for `step`
        return await endpoint.__aenter__()

    first = await one(0)
    store = first.plant.store  # type: ignore[attr-defined]
    rows = [store[f"bench.tag{n}"].row for n in range(count)]

    def step(number: int) -> None:
        for n, row in enumerate(rows):
            store.set(row, float(n + number))

    return first.addresses()[0].url, 2, step, one


async def asyncua(count: int) -> tuple[str, int, Step, Any]:
    """Stock asyncua's own server, as its documentation shows it."""
    from asyncua import Server, ua

    from labsim.endpoints.opcua.core.certificate import key_pem, make_pair

    folder = Path(tempfile.mkdtemp(prefix="labsim-bench-"))
    pair = make_pair("urn:bench:stock", "stock")
    (folder / "own.der").write_bytes(pair.der)
    (folder / "own.pem").write_bytes(key_pem(pair.key))

    async def one(_number: int) -> tuple[Any, str, int, list[Any]]:
        server, port = Server(), free_port()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
        await server.set_application_uri("urn:bench:stock")
        await server.load_certificate(str(folder / "own.der"))
        await server.load_private_key(str(folder / "own.pem"))
        index, found = await server.register_namespace(NAMESPACE), []
        parent = server.nodes.objects
        for n in range(count):
            if n % FOLDER == 0:
                parent = await server.nodes.objects.add_folder(index, f"Folder{n // FOLDER}")
            found.append(await parent.add_variable(ua.NodeId(f"bench.tag{n}", index), f"Tag{n}", float(n)))
        await server.start()
        return server, f"opc.tcp://127.0.0.1:{port}", index, found

    server, url, index, found = await one(0)

    async def step(number: int) -> None:
        for n, node in enumerate(found):
            await server.write_attribute_value(node.nodeid, ua.DataValue(ua.Variant(float(n + number))))

    return url, index, step, one


async def open62541(count: int) -> tuple[str, int, Step, Any]:
    """open62541's server through o6; its free mode ends after ten minutes."""
    import o6

    from labsim.endpoints.opcua.core.certificate import key_pem, make_pair

    pair = make_pair("urn:bench:o6", "o6")

    async def one(_number: int) -> tuple[Any, str, list[Any]]:
        port = free_port()
        server = o6.Server(
            port, certificate=pair.der, privateKey=key_pem(pair.key), acceptAllCertificates=True,
            applicationUri="urn:bench:o6",
        )  # fmt: skip
        found = []
        for n in range(count):
            made = server.addVariable(f"Tag{n}", "i=85", float(n), nodeId=f"ns=1;s=bench.tag{n}")
            found.append(await made if asyncio.isfuture(made) or asyncio.iscoroutine(made) else made)
        started = server.start()
        if asyncio.isfuture(started) or asyncio.iscoroutine(started):
            await started
        return server, f"opc.tcp://127.0.0.1:{port}", found

    server, url, found = await one(0)

    async def step(number: int) -> None:
        for n, node in enumerate(found):
            done = server.write(node, float(n + number))
            if asyncio.isfuture(done) or asyncio.iscoroutine(done):
                await done

    return url, 1, step, one


KINDS: dict[str, Callable[[int], Coroutine[Any, Any, tuple[str, int, Step, Any]]]] = {
    "labsim": labsim,
    "labsim-graded": lambda count: labsim(count, "graded"),
    "labsim-mute": lambda count: labsim(count, "mute"),
    "labsim-plain": lambda count: labsim(count, "plain"),
    "asyncua": asyncua,
    "open62541": open62541,
}


async def main() -> None:
    """Serve until killed."""
    logging.disable(logging.ERROR)
    kind, count, tick, further = sys.argv[1], *map(int, sys.argv[2:5])
    url, namespace, step, one = await KINDS[kind](count)
    print(json.dumps({"url": url, "namespace": namespace}), flush=True)
    if further:
        gc.collect()
        before = resident_mb()
        kept: list[Any] = []
        begin = time.perf_counter()
        kept += [await one(number) for number in range(1, further + 1)]
        took = time.perf_counter() - begin
        gc.collect()
        print(json.dumps({"mb": (resident_mb() - before) / further, "ms": took / further * 1000}), flush=True)
    number = 0
    while True:
        await asyncio.sleep(tick / 1000 if tick else 3600)
        number += 1
        done = step(number)
        if done is not None:
            await done


if __name__ == "__main__":
    if sys.argv[1].startswith("labsim"):
        from labsim.lab.loop import run

        run(main())  # as a lab does: on uvloop where that is installed
    else:
        asyncio.run(main())
