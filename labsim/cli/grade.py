"""``labsim grade``: mark an attempt from its folder, without a lab and without a network."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.export import export
from labsim.cli.output import err, out, print_json, print_verdict
from labsim.cli.words import say


def grade(
    attempt: Path = opt.ATTEMPT,
    lang: str = opt.OWN_LANG,
    junit: Path | None = typer.Option(None, help="Also write the verdict as JUnit XML.", metavar="FILE.xml"),
    csv: Path | None = typer.Option(None, help="Also write the verdict as CSV for spreadsheets.", metavar="FILE.csv"),
    by: str = typer.Option("", help="Who marks anew; kept with the verdict."),
    why: str = typer.Option("", help="Why, such as an appeal; kept with the verdict."),
    as_json: bool = opt.JSON,
) -> int:
    """Mark an attempt anew; the verdict is kept beside the earlier ones, with what differs from the last of them."""
    from grader.grade import grade_attempt
    from labsim.cli.regrade import grading, print_grading
    from labsim.evidence.key import SigningKey
    from labsim.evidence.manifest import read_manifest
    from labsim.evidence.verdicts import save_verdict

    verdict = grade_attempt(attempt)
    lang = opt.language(lang or read_manifest(attempt).lang)
    document = verdict.to_json(lang)
    document |= grading(attempt, document, by, why)
    where = save_verdict(attempt, document, SigningKey())
    export(attempt, document, lang, junit, csv)
    if as_json:
        print_json(document)
    else:
        print_verdict(document, out(), lang)
        print_grading(document, out(), lang)
        err().print(f"[dim]{say('kept_as', lang, file=escape(str(where)))}[/]")
    return 0 if document["passed"] else 1
