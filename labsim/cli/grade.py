"""``labsim grade`` and ``labsim verify``: what an attempt folder says, without a lab and without a network."""

from __future__ import annotations

from pathlib import Path

import typer

from labsim.cli import options as opt
from labsim.cli.output import out, print_json, print_verdict


def grade(
    attempt: Path = opt.ATTEMPT,
    lang: str = typer.Option("", help="Language of the reasons; the attempt's own by default."),
    as_json: bool = opt.JSON,
) -> int:
    """Mark an attempt anew; the verdict is kept beside the earlier ones."""
    from grader.grade import grade_attempt
    from labsim.evidence.attempt import save_verdict

    verdict = grade_attempt(attempt)
    document = verdict.to_json(opt.language(lang) if lang else verdict.lang)
    where = save_verdict(attempt, document)
    if as_json:
        print_json(document)
    else:
        print_verdict(document, out())
        out().print(f"[dim]kept as {where}[/]")
    return 0 if document["passed"] else 1


def verify(attempt: Path = opt.ATTEMPT, as_json: bool = opt.JSON) -> int:
    """Verify an attempt's chain, hashes and seal; names the first broken file, line and reason."""
    from labsim.evidence.verify import verify as examine

    report = examine(attempt)
    if as_json:
        print_json(report.to_json())
    elif report.ok:
        out().print(f"[green]✔[/] intact: {report.events} events, head {report.head[:16]}")
    for problem in [] if as_json else report.problems:
        out().print(f"[red]✘[/] {problem}", soft_wrap=True)
    return 0 if report.ok else 1
