"""Servers that are not ours, for clients that must work with any."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

HOLDING = [0x4366, 0x8000, 0x1234, 0x5678, *range(4, 300)]


class Stock:
    """Stock Modbus servers of pymodbus, on a loop in a thread of their own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._servers: list[ModbusTcpServer] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, framer: FramerType = FramerType.SOCKET) -> int:
        """A server with one unit, 3; its port."""
        return asyncio.run_coroutine_threadsafe(self._start(framer), self.loop).result(10)

    async def _start(self, framer: FramerType) -> int:
        bits, inputs = SimData(0, values=[True, False, True, True] * 600, datatype=DataType.BITS), [1, 2, 3, 4]
        device = SimDevice(
            3,
            (
                [bits],
                [bits],
                [SimData(0, values=HOLDING, datatype=DataType.REGISTERS)],
                [SimData(0, values=inputs, datatype=DataType.REGISTERS)],
            ),
        )
        server = ModbusTcpServer(device, framer=framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        self._servers.append(server)
        return int(server.transport.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """End them and their loop."""

        async def end() -> None:
            for server in self._servers:
                await server.shutdown()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def stock() -> Iterator[Stock]:
    """Starts stock Modbus servers."""
    servers = Stock()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def modbus_port(stock: Stock) -> int:
    """Port of a stock Modbus TCP server."""
    return stock.start()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts mosquitto brokers with lines of configuration; their ``HOST:PORT``."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    running: list[subprocess.Popen[Any]] = []

    def start(*lines: str) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = tmp_path / f"mosquitto-{port}.conf"
        # as root mosquitto becomes a user of its own, who could not read a test's certificates
        root = ["user root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        config.write_text("\n".join([*root, f"listener {port} 127.0.0.1", *(lines or ["allow_anonymous true"])]) + "\n")
        running.append(subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL))
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"127.0.0.1:{port}"
            except ConnectionRefusedError:
                time.sleep(0.02)  # another program gives no event when it listens
        raise TimeoutError(f"mosquitto did not listen on {port}")

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
