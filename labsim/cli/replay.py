"""``labsim replay``: is the history of an attempt what its plant really does?"""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.progress import Progress

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json


def replay(attempt: Path = opt.ATTEMPT, as_json: bool = opt.JSON) -> int:
    """Compute an attempt's plant anew and compare it with its history, bit for bit."""
    from labsim.lab.replay import replay_attempt

    with Progress(console=err(), transient=True, disable=as_json) as progress:
        task = progress.add_task("computing the plant anew", total=None)
        result = replay_attempt(attempt, lambda done, total: progress.update(task, completed=done, total=total))
    same = result.difference is None
    if as_json:
        problems = [] if result.difference is None else [result.difference.to_json()]
        print_json({"ok": same, "problems": problems, "steps": result.steps, "values": result.values})
        return 0 if same else 1
    for name, (then, here) in result.versions.items():
        out().print(f"[yellow]·[/] {escape(name)} was {escape(then)} and is {escape(here or 'missing')} here")
    if result.difference is not None:
        out().print(f"[red]✘[/] {escape(str(result.difference))}", soft_wrap=True)
    else:
        out().print(
            f"[green]✔[/] {result.values} recorded values in {result.steps} steps came out the same, bit for bit"
        )
    return 0 if same else 1
