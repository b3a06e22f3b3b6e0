"""``labsim report``: an attempt as one page."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.export import write
from labsim.cli.output import err


def report(
    attempt: Path = opt.ATTEMPT,
    output: Path = typer.Option(..., "--output", "-o", help="The HTML file to write.", metavar="FILE.html"),
    lang: str = opt.OWN_LANG,
    full: bool = typer.Option(
        False, "--full", help="For instructors: also what is hidden from the trainee while the lab is not sealed."
    ),
) -> None:
    """Write the report of an attempt: one HTML page with marks, reasons, evidence and charts."""
    from labsim.evidence.manifest import read_manifest
    from labsim.report.page import report as make

    page = make(attempt, opt.language(lang or read_manifest(attempt).lang), full=full)
    write(output, page.encode())
    err().print(f"[dim]written to {escape(str(output))}[/]", soft_wrap=True)
