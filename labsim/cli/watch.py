"""``labsim run SCENARIO --watch``: a lab that begins anew whenever its author saves a scenario that is good."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labsim.cli import options as opt
from labsim.cli.output import err, print_json
from labsim.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from labsim.lab.lab import Lab
    from labsim.lab.options import Options
    from labsim.lab.watch import Watch


async def serve_watched(
    folder: Path, options: Options, seconds: float | None, show: Callable[[dict[str, Any]], None], *, as_json: bool
) -> dict[str, Any]:
    """Run labs one after the other, with the same seed and on the same ports; the verdict of the last.

    Args:
        folder: The scenario's folder.
        options: How the first is run; each later one has an attempt of its own.
        seconds: Wall time after which it ends; None for never.
        show: Is given each ``ready`` document.
        as_json: Problems are told as a line of JSON.
    """
    from labsim.cli.run import end_on_signals
    from labsim.lab.control import Control
    from labsim.lab.lab import Lab
    from labsim.lab.ports import control_port, free_base
    from labsim.lab.watch import Watch

    if options.port_base == 0:
        options = replace(options, port_base=free_base(options.host))  # free ports, but the same ones each time
    port, watch = control_port(options.port_base), Watch(folder, options.seed)
    end = None if seconds is None else asyncio.get_running_loop().time() + seconds
    while True:
        async with Lab(folder, options) as lab, Control(lab, options.host, port) as control:
            end_on_signals(lab.stopping)
            port = urlsplit(control.url).port or port
            show(lab.ready(control.url))
            again = await _until(lab, watch, end, as_json=as_json)
            verdict = await lab.close("its files have changed" if again else "asked to stop")
        if not again:
            return verdict
        err().print("[green]✔[/] the scenario is good; the lab begins anew")
        options = replace(options, attempt=opt.attempt_folder(folder.name, None))


async def _until(lab: Lab, watch: Watch, end: float | None, *, as_json: bool) -> bool:
    """Wait until the lab is to end (False) or to begin anew (True); what is wrong with the scenario is told meanwhile."""
    stopping = asyncio.create_task(lab.stopping.wait())
    changing = asyncio.create_task(watch.change())
    try:
        while True:
            left = None if end is None else max(end - asyncio.get_running_loop().time(), 0)
            done, _ = await asyncio.wait([stopping, changing], timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if changing not in done:
                return False
            change = changing.result()
            _tell(change.problems, as_json=as_json)
            if change.anew:
                return True
            if not change.good:
                err().print("[red]✘[/] the lab goes on as it was")
            changing = asyncio.create_task(watch.change())
    finally:
        for task in (stopping, changing):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ScenarioError):
                await task


def _tell(problems: Iterable[Problem], *, as_json: bool) -> None:
    if as_json:
        print_json({"event": "problems", "problems": [problem.to_json() for problem in problems]})
        return
    for problem in problems:
        err().print(str(problem), markup=False, soft_wrap=True)
