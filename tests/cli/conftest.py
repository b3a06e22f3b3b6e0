"""A host as a user starts it: the ``labsim`` command in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LIMIT_S = 60


class Host:
    """A running ``labsim run … --headless --json``."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "labsim", "run", *arguments, "--headless", "--json"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=LIMIT_S)[1]
        self.ready: dict[str, Any] = json.loads(line)

    def port(self, protocol: str) -> int:
        """Port of the first endpoint of a protocol."""
        url = next(row["url"] for row in self.ready["endpoints"] if row["protocol"] == protocol)
        return int(url.rpartition(":")[2])

    def kill(self) -> None:
        """Kill -9, or what the system has instead."""
        self.process.kill()
        self.process.communicate(timeout=LIMIT_S)

    def end(self) -> tuple[dict[str, Any], int]:
        """Wait until it ends by itself; the verdict and the exit code."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        assert out, err
        return json.loads(out), self.process.returncode

    def interrupt(self) -> tuple[dict[str, Any], int]:
        """End it as Ctrl-C or a service manager does; the verdict and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    """Starts hosts and sees to it that none is left."""
    started: list[Host] = []

    def start(*arguments: str) -> Host:
        started.append(Host(list(arguments)))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def labsim() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs one ``labsim`` command to its end."""

    def run(*arguments: str | Path, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "labsim", *map(str, arguments)]
        env = os.environ | {"COLUMNS": "120", "NO_COLOR": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=LIMIT_S, env=env, check=False, **kwargs
        )

    return run
