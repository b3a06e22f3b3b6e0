"""A lab in this process, whose endpoints the built-in clients ask; and those clients as a person types them."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labsim.cli.main import run_command
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario


class Field:
    """First-contact on free ports, on a loop in a thread of its own; its plant stands still."""

    def __init__(self, folder: Path) -> None:
        self.attempt = folder / "attempt"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.lab = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(30)
        self.base = int(self.lab.scenario.drawn["base"])
        self.urls = {row["protocol"]: str(row["url"]) for row in self.lab.addresses()}

    async def _open(self) -> Lab:
        self._lab = Lab(find_scenario("first-contact"), Options(seed="field", attempt=self.attempt, port_base=0))
        lab = await self._lab.__aenter__()
        lab.clock.pause()
        return lab

    def value(self, tag: str) -> float:
        """What the plant's store holds."""
        store = self.lab.plant.store
        return float(store.read(store[tag].row))

    @property
    def evidence(self) -> Evidence:
        """What the lab saw."""
        return Evidence.load(self.attempt)

    def close(self) -> None:
        """End the lab and its loop."""
        asyncio.run_coroutine_threadsafe(self._lab.__aexit__(None, None, None), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON document."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Typed:
    """Runs command lines in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Said:
        """One command."""
        self._capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        found = self._capsys.readouterr()
        return Said(code, found.out, found.err)
