"""``labsim test``: prove scenarios by running nobody, the solution and every wrong answer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from labsim.cli import options as opt
from labsim.cli.lint import scenario_folders
from labsim.cli.output import err, out, print_json
from labsim.errors import InputError
from labsim.quantity import parse_duration

if TYPE_CHECKING:
    from labsim.lab.gate import Proven
    from labsim.lab.prove import Proof


def prove(
    paths: list[Path] = typer.Argument(help="Scenario folders, ids, or folders of scenarios."),
    seeds: int = typer.Option(3, min=1, max=100, help="How many seeds each trainee is run with."),
    speed: float = typer.Option(5.0, min=0.1, max=100.0, help="Plant seconds per second."),
    jobs: int | None = typer.Option(
        None,
        "--jobs",
        "--parallel",
        min=1,
        max=64,
        help="How many labs run at once; by default 12 per core, at most 48. Fewer when timing is judged on a slow machine.",
    ),
    limit: str = typer.Option("10 min", help="Wall time that a solution or wrong answer may take."),
    as_json: bool = opt.JSON,
) -> int:
    """Prove scenarios: untouched 0 %, solution 100 %, each wrong answer loses exactly what it states, every check can fail."""
    try:
        limit_s = parse_duration(limit)
    except ValueError as error:
        raise InputError(f"--limit: {error}.") from None
    results = _prove(scenario_folders(paths), seeds, speed, jobs, limit_s)
    good = all(result.ok for result in results)
    if as_json:
        proofs = [_proof(proof) for result in results for proof in result.proofs]
        print_json({"ok": good, "scenarios": [_scenario(result) for result in results], "proofs": proofs})
    else:
        _print(results)
    return 0 if good else 1


def _prove(folders: list[Path], seeds: int, speed: float, jobs: int | None, limit_s: float) -> list[Proven]:
    """Run everything, with a progress display on stderr."""
    from labsim.lab.gate import prove_all

    names = [f"test-{number}" for number in range(1, seeds + 1)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="labsim-test-", ignore_cleanup_errors=True) as temporary,
        Progress(*columns, console=err(), transient=True) as progress,
    ):
        task = progress.add_task("running labs", total=None)

        def tell(proof: Proof) -> None:
            state = "[green]✔[/]" if proof.ok else "[red]✘[/]"
            said = (
                f"{proof.scenario} {proof.who} seed {proof.seed}  {proof.verdict['score']:g}/{proof.verdict['max']:g}"
            )
            progress.console.print(f"{state} {escape(said)}")
            progress.advance(task)

        return prove_all(
            folders,
            names,
            Path(temporary),
            speed=speed,
            jobs=jobs,
            limit_s=limit_s,
            plan=lambda total: progress.update(task, total=total),
            tell=tell,
        )


def _print(results: Sequence[Proven]) -> None:
    for result in results:
        for problem in result.problems:
            out().print(f"{result.scenario}: {problem}", markup=False, soft_wrap=True)
        for proof in result.proofs:
            for problem in proof.problems:
                said = f"{proof.scenario} {proof.who} (seed {proof.seed}): {problem}"
                out().print(said, markup=False, soft_wrap=True)
    good, runs = sum(result.ok for result in results), sum(len(result.proofs) for result in results)
    mark = "[green]✔[/]" if good == len(results) else "[red]✘[/]"
    again = sum(proof.again for result in results for proof in result.proofs)
    more = f", {again} of them made again since the machine was busy" if again else ""
    out().print(f"{mark} {good} of {len(results)} scenarios are proven ({runs} runs{more})")


def _scenario(result: Proven) -> dict[str, Any]:
    return {"scenario": result.scenario, "ok": result.ok, "problems": list(result.problems)}


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "scenario": proof.scenario,
        "seed": proof.seed,
        "who": proof.who,
        "ok": proof.ok,
        "score": proof.verdict["score"],
        "max": proof.verdict["max"],
        "problems": list(proof.problems),
    }
