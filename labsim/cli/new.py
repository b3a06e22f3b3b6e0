"""``labsim new``: a scenario to begin with, whole from the first minute."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.output import err, out
from labsim.errors import InputError, did_you_mean
from labsim.text import Text

LEVELS = ("junior", "intermediate", "senior")


def new(
    id_: str = typer.Argument(
        help="The scenario's id and the name of its folder, such as 'my-first-lab'.", metavar="ID"
    ),
    title: str = typer.Option("", help="Its title, in the language of --lang."),
    device: str = typer.Option("", help="The device type it is about (see 'labsim devices'); power-meter by default."),
    protocol: str = typer.Option("", help="What the trainee speaks: modbus, opcua or mqtt; modbus by default."),
    level: str = typer.Option("", help="junior, intermediate or senior; junior by default."),
    minutes: int = typer.Option(30, min=1, max=480, help="How long it is meant to take."),
    folder: Path | None = typer.Option(None, help="Where to make it; a folder of its id here by default."),
    lang: str = opt.LANG,
) -> None:
    """Make a new scenario that passes 'labsim lint' and 'labsim test' at once; asks on a terminal for what is not given."""
    from labsim.lab.draft import PROTOCOLS, Draft, write_draft

    tongue = opt.language(lang)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", id_):
        raise InputError(f"{id_!r} cannot be an id: write small letters, digits and hyphens, such as 'my-first-lab'.")
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    title = title or (typer.prompt("Title", default="", show_default=False, err=True) if asks else "")
    device = device or (
        typer.prompt("Device type (see 'labsim devices')", default="power-meter", err=True) if asks else "power-meter"
    )
    protocol = _one_of("protocol", protocol, PROTOCOLS, asks)
    level = _one_of("level", level, LEVELS, asks)
    where = folder or Path(id_)
    draft = Draft(
        id_,
        Text({tongue: title} if title else {}),
        device,
        protocol,  # type: ignore[arg-type] # one of PROTOCOLS
        level,
        minutes,
    )
    for path in write_draft(draft, where):
        err().print(f"[dim]made {escape(str(path))}[/]", soft_wrap=True)
    out().print(
        f"labsim lint {where}          every problem, with its line\n"
        f"labsim run {where} --watch   the lab, begun anew whenever its files change\n"
        f"labsim test {where}          nobody, the solution and the wrong answers come to what they have to",
        markup=False,
        soft_wrap=True,
    )


def _one_of(name: str, given: str, known: tuple[str, ...], asks: bool) -> str:
    """A value of an option: as given, else asked for, else the first there is."""
    if not given and asks:
        given = typer.prompt(f"{name.capitalize()} ({', '.join(known)})", default=known[0], err=True)
    given = given or known[0]
    if given not in known:
        raise InputError(f"--{name}: there is no {given!r}. {did_you_mean(given, known)}".strip())
    return given
