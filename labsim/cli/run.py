"""``labsim run``: run a scenario, with the terminal UI or headless."""

from __future__ import annotations

import asyncio
import signal
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json, print_verdict
from labsim.cli.words import say, table
from labsim.errors import InputError
from labsim.plant.clock import MAX
from labsim.quantity import parse_duration

if TYPE_CHECKING:
    from labsim.lab.lab import Lab
    from labsim.lab.options import Options


def run(
    scenario: str = typer.Argument(help="A scenario's id (see 'labsim list') or the path of its folder."),
    seed: str = typer.Option("", help="Draws the variants and the plant's randomness; a new one by default."),
    pace: str = typer.Option(
        "1", "--speed", help="Plant seconds per second, 0.1 to 1000; 'max' with --headless: as fast as it goes."
    ),
    lang: str = opt.LANG,
    attempt: Path | None = typer.Option(None, help="The attempt folder; one that was not closed is resumed."),
    host: str = typer.Option("127.0.0.1", help="Address the endpoints listen on."),
    port_base: int | None = typer.Option(
        None,
        help="OPC UA on N, Modbus on N+1, MQTT on N+2, control on N+3; 0 takes free ports. The scenario's own by default.",
    ),
    duration: str = typer.Option(
        "", "--for", help="End after this wall time, such as '30 min'; plant time with --speed max."
    ),
    headless: bool = typer.Option(
        False, "--headless", help="No terminal UI; ends on Ctrl-C, SIGTERM, --for or 'labsim stop'."
    ),
    watch: bool = typer.Option(
        False,
        "--watch",
        help="For authors, without a terminal UI: begin anew, same seed and ports, whenever the scenario is saved and good.",
    ),
    exam: bool = typer.Option(
        False, "--exam", help="Run as an exam: no hints, and no more told than the scenario's 'feedback' allows."
    ),
    as_json: bool = opt.JSON,
) -> int:
    """Run a scenario."""
    seconds, speed = _seconds(duration), _speed(pace)
    headless = headless or watch
    if watch and speed == MAX:
        raise InputError("--watch and --speed max do not go together: nobody could watch.")
    if speed == MAX and not headless:
        raise InputError("--speed max needs --headless: nobody could watch.")
    opt.language(lang)
    if not headless:
        from labsim.cli.attach import open_ui
        from labsim.cli.host import start_host

        arguments = [scenario, "--speed", f"{speed:g}", "--lang", lang, "--host", host]
        arguments += ["--seed", seed] if seed else []
        arguments += ["--attempt", str(attempt)] if attempt else []
        arguments += ["--port-base", str(port_base)] if port_base is not None else []
        arguments += ["--for", duration] if duration else []
        arguments += ["--exam"] if exam else []
        return open_ui(start_host(arguments)["control"], lang)

    from labsim.lab import loop
    from labsim.lab.options import Options
    from labsim.scenario.folder import find_scenario
    from labsim.scenario.variant import new_seed

    if port_base is not None and not (port_base == 0 or 1024 <= port_base <= 65000):
        raise InputError(f"--port-base {port_base} must be 0 (free ports) or 1024 to 65000.")
    folder = find_scenario(scenario)
    where = opt.attempt_folder(folder.name, attempt)
    chosen = Options(
        seed=seed or new_seed(), attempt=where, speed=speed, lang=lang, host=host, port_base=port_base, exam=exam,
        until=seconds if speed == MAX else None,
    )  # fmt: skip
    if watch:
        from labsim.cli.watch import serve_watched

        show = print_json if as_json else partial(_print_ready, lang=lang)
        verdict = loop.run(serve_watched(folder, chosen, seconds, show, as_json=as_json))
        _print_end(verdict, as_json, lang)
        return 0 if verdict["passed"] else 1
    verdict = loop.run(_serve(folder, chosen, None if speed == MAX else seconds, as_json))
    return 0 if verdict["passed"] else 1


def _speed(pace: str) -> float:
    from labsim.lab.options import SPEEDS

    if pace == "max":
        return MAX
    try:
        speed = float(pace)
    except ValueError:
        raise InputError(f"--speed {pace!r} is no number and not 'max'.") from None
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise InputError(f"--speed {speed:g} is outside {SPEEDS[0]:g} to {SPEEDS[1]:g}.")
    return speed


def _seconds(duration: str) -> float | None:
    try:
        return parse_duration(duration) if duration else None
    except ValueError as error:
        raise InputError(f"--for: {error}.") from None


async def _serve(folder: Path, options: Options, seconds: float | None, as_json: bool) -> dict[str, Any]:
    """Run the lab until somebody or something ends it."""
    from labsim.lab.control import Control
    from labsim.lab.lab import Lab
    from labsim.lab.ports import control_port

    began = time.monotonic()
    async with Lab(folder, options) as lab:
        async with Control(lab, options.host, control_port(options.port_base)) as control:
            end_on_signals(lab.stopping)
            ready = lab.ready(control.url)
            if as_json:
                print_json(ready)
            else:
                _print_ready(ready, options.lang)
            try:
                await asyncio.wait_for(lab.stopping.wait(), seconds)
                reason = "its time was over" if lab.done else "asked to stop"
            except TimeoutError:
                reason = "its time was over"
            verdict = await lab.close(reason)
        _remember(lab, verdict, (time.monotonic() - began) / 60)
        _print_end(verdict, as_json, options.lang)
    return verdict


def _print_end(verdict: dict[str, Any], as_json: bool, lang: str) -> None:
    if as_json:
        _print_last({"event": "verdict", **verdict})
    else:
        print_verdict(verdict, out(), lang)
        err().print(f"[dim]{say('attempt', lang, folder=escape(verdict['attempt']))}[/]")


def _remember(lab: Lab, verdict: dict[str, Any], minutes: float) -> None:
    """Put the attempt into the learner's record; a record that takes nothing is no reason to lose a verdict."""
    from labsim.progress.record import add, entry_of

    scenario = lab.scenario
    try:
        add(
            entry_of(
                verdict,
                title=scenario.title,
                level=scenario.level,
                competences=scenario.competences,
                minutes=minutes,
            )
        )
    except InputError as error:
        err().print(f"labsim: {error}", markup=False)


def end_on_signals(stopping: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM end the lab in good order; `signal.signal`, because Windows has no loop handlers."""
    loop = asyncio.get_running_loop()

    def end(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _print_last(document: dict[str, Any]) -> None:
    try:
        print_json(document)
    except OSError:
        err().print("[dim]nobody reads the verdict any more; it is in the attempt folder.[/]")


def _print_ready(ready: dict[str, Any], lang: str) -> None:
    console, rows = out(), table(lang, "device", "protocol", "url", "unit", "user", "password")
    for row in ready["endpoints"]:
        users = row["users"] or [{"name": "", "password": ""}]
        for number, user in enumerate(users):
            head = (row["device"] or "", row["protocol"], row["url"], "" if row["unit"] is None else str(row["unit"]))
            rows.add_row(*(head if number == 0 else ("",) * 4), user["name"], user["password"])
    console.print(rows)
    attempt = escape(ready["attempt"])
    console.print(f"[dim]{say('seed_attempt', lang, seed=escape(ready['seed']), attempt=attempt)}[/]")
    console.print(f"[dim]{say('how_to_check', lang, attempt=attempt)}[/]")
