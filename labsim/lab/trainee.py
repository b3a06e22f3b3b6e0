"""A script as the trainee of a lab: it is told where everything is, works from outside, and the lab is marked when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options

LIMIT_S = 600.0
"""Wall seconds that a script may take."""
PYTHON = (sys.executable, "-u")
_KEPT = 3
_WARM = Path(__file__).with_name("warm_python.py")
_WAITING = 128


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a lab with a script.

    Attributes:
        verdict: The marks.
        code: The script's exit code; 0 without a script.
        timed_out: The script did not end in time and was stopped.
        said: The last lines that it printed.
        late: Share of the plant's steps that the machine was late for.
    """

    verdict: dict[str, Any]
    code: int
    timed_out: bool
    said: tuple[str, ...]
    late: float


async def run_trainee(
    folder: Path,
    script: Path | None,
    options: Options,
    tell: Callable[[str], None] = lambda _: None,
    *,
    limit_s: float = LIMIT_S,
    python: Sequence[str] = PYTHON,
) -> Ran:
    """Run a scenario with a script as its trainee (None: nobody touches it), then close and mark it.

    Args:
        folder: The scenario's folder.
        script: A program that is given the path of a ``READY.json`` (see ``docs/architecture.md``).
        options: How the lab is run.
        tell: Is given each line that the script prints.
        limit_s: Wall seconds the script may take.
        python: The command that runs a script.
    """
    code, timed_out, said = 0, False, deque[str](maxlen=_KEPT)

    def hear(line: str) -> None:
        if line.strip():
            said.append(line)
        tell(line)

    async with Lab(folder, options) as lab, Control(lab, "127.0.0.1", 0) as control:
        if script is not None:
            ready = lab.ready(control.url) | {
                "variants": dict(lab.scenario.drawn),
                "handin": str(options.attempt.absolute() / "handin"),
                "speed": options.speed,
                "devices": {path: device.type for path, device in lab.scenario.plant.items()},
            }
            path = options.attempt.absolute() / "READY.json"
            path.write_text(json.dumps(ready), encoding="utf-8")
            try:
                code, timed_out = await _run(_command(python, script, path), lab, hear, limit_s)
            finally:
                path.unlink(missing_ok=True)
        await lab.close("the script ended" if script else "nobody was there")
        assert lab.marked is not None
        verdict = lab.marked.to_json(options.lang)
    return Ran(verdict, code, timed_out, tuple(said), lab.clock.late_steps / max(lab.clock.step, 1))


def warm_python() -> Sequence[str]:
    """Start a Python that has the client libraries loaded; what stands in place of ``python`` as long as this process lives."""
    if sys.platform != "linux":
        return PYTHON
    # mkdtemp's folder is private: whoever reaches the socket runs scripts as this user.
    address = Path(tempfile.mkdtemp(prefix="labsim-python-"), "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(_WAITING)
        subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, "-u", str(_WARM), "serve", str(address), str(listener.fileno())],
            stdin=subprocess.PIPE,  # closed when this process ends, however it ends
            pass_fds=(listener.fileno(),),
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
    return (sys.executable, "-I", "-S", str(_WARM), "run", str(address))


async def attempt_with(
    folder: Path, script: Path | None, options: Options, tell: Callable[[str], None]
) -> tuple[dict[str, Any], int]:
    """The verdict of a run and the script's exit code; see `run_trainee`."""
    ran = await run_trainee(folder, script, options, tell)
    return ran.verdict, ran.code


def _command(python: Sequence[str], script: Path, ready: Path) -> list[str]:
    return [*python, str(script.absolute()), str(ready)]


async def _run(command: list[str], lab: Lab, tell: Callable[[str], None], limit_s: float) -> tuple[int, bool]:
    """Run a script until it ends or the lab stops by itself; its exit code, and whether its time was over."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None
    stdout = process.stdout

    async def follow() -> int:
        async for line in stdout:
            tell(line.decode("utf-8", "replace").rstrip())
        return await process.wait()

    following = asyncio.create_task(follow())
    stopped = asyncio.create_task(lab.stopping.wait())
    try:
        await asyncio.wait([following, stopped], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        timed_out = not following.done() and not stopped.done()
        if not following.done():
            process.kill()
        return await following, timed_out
    finally:
        stopped.cancel()
        if process.returncode is None:
            process.kill()
