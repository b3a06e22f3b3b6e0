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
    from labsim.lab.options import Options
    from labsim.lab.prove import prove as run_proof
    from labsim.lab.prove import trainees

    gate, console = asyncio.Semaphore(parallel), err()
    with tempfile.TemporaryDirectory(prefix="labsim-test-") as temporary:

        async def one(folder: Path, who: str, seed: str) -> Proof:
            async with gate:
                where = Path(temporary) / f"{folder.name}-{who}-{seed}"
                proof = await run_proof(folder, who, Options(seed=seed, attempt=where, speed=speed, port_base=0))
                state = "[green]✔[/]" if proof.ok else "[red]✘[/]"
                console.print(
                    f"{state} {proof.scenario} {who} seed {seed}  {proof.verdict['score']:g}/{proof.verdict['max']:g}"
                )
                return proof

        runs = [(f, who, f"test-{n}") for f in folders for who in trainees(f) for n in range(1, seeds + 1)]
        return list(await asyncio.gather(*(one(*run) for run in runs)))
