"""``labsim attach`` and plain ``labsim``: the terminal UI."""

from __future__ import annotations

import asyncio

import typer

from labsim.cli import options as opt
from labsim.errors import ControlError


def attach(
    lab: str = typer.Argument(
        "", help="An attempt folder or a control URL; the newest running lab by default.", metavar="[ATTEMPT or URL]"
    ),
    lang: str = opt.LANG,
) -> int:
    """Open the terminal UI on a running lab."""
    from labsim.client.client import find_control

    return open_ui(find_control(lab or _newest()), lang)


def _newest() -> str:
    """The attempt folder below ``attempts/`` whose host was started last."""
    from pathlib import Path

    from labsim.errors import InputError

    running = sorted(Path("attempts").glob("*/control.json"), key=lambda path: path.stat().st_mtime)
    if not running:
        raise InputError(
            "no lab is running below attempts/. Start one with 'labsim run SCENARIO', or give its folder or URL."
        )
    return str(running[-1].parent)


def open_ui(url: str | None, lang: str) -> int:
    """Run the terminal UI on the lab at ``url``, or on the catalogue when there is none."""
    from labsim.cli.catalogue import entries
    from labsim.cli.host import start_host
    from labsim.cli.progress import record_of
    from labsim.tui.app import run

    async def start(scenario: str) -> str:
        arguments = [scenario, "--lang", lang]
        try:
            ready = await asyncio.to_thread(start_host, arguments)
        except ControlError as error:
            if "--port-base" not in str(error):
                raise
            # A port of the scenario is taken. Free ones do as well: the endpoint list shows them.
            ready = await asyncio.to_thread(start_host, [*arguments, "--port-base", "0"])
        return str(ready["control"])

    return run(catalogue=entries(None), start=start, url=url, lang=opt.language(lang), progress=record_of)
