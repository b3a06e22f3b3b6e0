"""``labsim grade`` and ``labsim verify``: what an attempt folder says, without a lab and without a network."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.export import export
from labsim.cli.output import err, out, print_json, print_verdict


def grade(
    attempt: Path = opt.ATTEMPT,
    lang: str = typer.Option("", help="Language of the reasons; the attempt's own by default."),
    junit: Path | None = typer.Option(None, help="Also write the verdict as JUnit XML.", metavar="FILE.xml"),
    csv: Path | None = typer.Option(None, help="Also write the verdict as CSV for spreadsheets.", metavar="FILE.csv"),
    by: str = typer.Option("", help="Who marks anew; kept with the verdict."),
    why: str = typer.Option("", help="Why, such as an appeal; kept with the verdict."),
    as_json: bool = opt.JSON,
) -> int:
    """Mark an attempt anew; the verdict is kept beside the earlier ones, with what differs from the last of them."""
    from grader.grade import grade_attempt
    from labsim.cli.regrade import grading, print_grading
    from labsim.evidence.attempt import save_verdict
    from labsim.evidence.manifest import read_manifest

    verdict = grade_attempt(attempt)
    document = verdict.to_json(opt.language(lang or read_manifest(attempt).lang))
    document |= grading(attempt, document, by, why)
    where = save_verdict(attempt, document)
    export(attempt, document, opt.language(lang or read_manifest(attempt).lang), junit, csv)
    if as_json:
        print_json(document)
    else:
        print_verdict(document, out())
        print_grading(document, out())
        err().print(f"[dim]kept as {where}[/]")
    return 0 if document["passed"] else 1


def verify(attempt: Path = opt.ATTEMPT, as_json: bool = opt.JSON) -> int:
    """Verify an attempt's chain, hashes and seal; names the first broken file, line and reason."""
    from labsim.evidence.verify import ok
    from labsim.evidence.verify import verify as examine

    findings = examine(attempt)
    good = ok(findings)
    if as_json:
        print_json({"ok": good, "problems": [finding.to_json() for finding in findings]})
        return 0 if good else 1
    for finding in findings:
        out().print(
            f"[{'yellow' if finding.note else 'red'}]{'·' if finding.note else '✘'}[/] {escape(str(finding))}",
            soft_wrap=True,
        )
    out().print("[green]✔[/] the evidence is intact" if good else "[red]✘[/] the evidence is not as its host wrote it")
    return 0 if good else 1
