"""``labsim demo``: the first scenario with its own solution as the trainee, from plant to verdict."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import typer

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json, print_verdict

_SCENARIO = "first-contact"


def demo(
    seed: str = typer.Option("demo", help="Draws the variants."),
    lang: str = opt.LANG,
    attempt: Path | None = typer.Option(None, help="Keep the attempt in this folder; a temporary one by default."),
    as_json: bool = opt.JSON,
) -> int:
    """Run 'first-contact' with its solution and print the verdict; exit code 0 only at full marks."""
    from labsim.lab.options import Options
    from labsim.lab.trainee import attempt_with
    from labsim.scenario.folder import find_scenario

    folder, console = find_scenario(_SCENARIO), err()

    def tell(line: str) -> None:
        console.print(f"[dim]trainee:[/] {line}", markup=True, soft_wrap=True)

    with tempfile.TemporaryDirectory(prefix="labsim-demo-") as temporary:
        where = attempt or Path(temporary) / "attempt"
        options = Options(seed=seed, attempt=where, speed=1.0, lang=opt.language(lang), port_base=0)
        console.print(f"[dim]running {_SCENARIO} with its solution as the trainee …[/]")
        verdict, code = asyncio.run(attempt_with(folder, folder / "solution.py", options, tell))
    if as_json:
        print_json({"event": "verdict", **verdict})
    else:
        print_verdict(verdict, out(), lang)
    return 0 if verdict["score"] == verdict["max"] and code == 0 else 1
