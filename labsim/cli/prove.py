"""``labsim test``: prove scenarios by running nobody, the solution and every wrong answer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from labsim.cli import options as opt
from labsim.cli.lint import scenario_folders
from labsim.cli.output import err, out, print_json

if TYPE_CHECKING:
    from labsim.lab.prove import Proof


def prove(
    paths: list[Path] = typer.Argument(help="Scenario folders, ids, or folders of scenarios."),
    seeds: int = typer.Option(3, min=1, max=100, help="How many seeds each trainee is run with."),
    speed: float = typer.Option(5.0, min=0.1, max=100.0, help="Plant seconds per second."),
    parallel: int = typer.Option(6, min=1, max=64, help="How many labs run at once."),
    as_json: bool = opt.JSON,
) -> int:
    """Prove scenarios: untouched 0 %, solution 100 %, each wrong answer loses exactly what it states."""
    proofs = asyncio.run(_prove_all(scenario_folders(paths), seeds, speed, parallel))
    if as_json:
        print_json({"ok": all(p.ok for p in proofs), "proofs": [_proof(p) for p in proofs]})
    else:
        for proof in proofs:
            for problem in proof.problems:
                out().print(
                    f"{proof.scenario} {proof.who} (seed {proof.seed}): {problem}", markup=False, soft_wrap=True
                )
        good = sum(proof.ok for proof in proofs)
        out().print(
            f"{'[green]✔[/]' if good == len(proofs) else '[red]✘[/]'} {good} of {len(proofs)} runs came to what they had to"
        )
    return 0 if all(proof.ok for proof in proofs) else 1


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


async def _prove_all(folders: list[Path], seeds: int, speed: float, parallel: int) -> list[Proof]:
    from labsim.lab.prove import prove_all

    console = err()

    def tell(proof: Proof) -> None:
        state = "[green]✔[/]" if proof.ok else "[red]✘[/]"
        console.print(
            f"{state} {proof.scenario} {proof.who} seed {proof.seed}  {proof.verdict['score']:g}/{proof.verdict['max']:g}"
        )

    names = [f"test-{number}" for number in range(1, seeds + 1)]
    with tempfile.TemporaryDirectory(prefix="labsim-test-") as temporary:
        return await prove_all(folders, names, Path(temporary), speed=speed, parallel=parallel, tell=tell)
