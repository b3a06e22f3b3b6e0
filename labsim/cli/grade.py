"""``labsim grade`` and ``labsim verify``: what an attempt folder says, without a lab and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.export import export
from labsim.cli.output import err, out, print_json, print_verdict
from labsim.cli.words import say

if TYPE_CHECKING:
    from labsim.evidence.verdicts import Signature


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


def verify(
    attempt: Path = opt.ATTEMPT,
    key: Path | None = typer.Option(
        None, help="The PEM file of the public key that must have signed: any key that the attempt carries otherwise."
    ),
    as_json: bool = opt.JSON,
) -> int:
    """Verify an attempt's chain, signatures, hashes and seal; names the first broken file, line and reason."""
    from labsim.evidence.key import PublicKey
    from labsim.evidence.verdicts import read_marked
    from labsim.evidence.verify import examine, ok

    findings, signers = examine(attempt, PublicKey.read(key) if key is not None else None)
    good = ok(findings)
    if as_json:
        print_json(
            {
                "ok": good,
                "problems": [finding.to_json() for finding in findings],
                "signed_by": signers,
                "verdicts": [marked.to_json() for marked in read_marked(attempt)],
            }
        )
        return 0 if good else 1
    for finding in findings:
        out().print(
            f"[{'yellow' if finding.note else 'red'}]{'·' if finding.note else '✘'}[/] {escape(str(finding))}",
            soft_wrap=True,
        )
    for signer in signers:
        whose = " (the one given)" if key is not None else _whose(signer)
        out().print(f"[dim]·[/] signed by the key {signer}{whose}", soft_wrap=True)
    if not signers:
        out().print(
            "[dim]·[/] signed by nobody: that it is intact shows only against a head known from elsewhere",
            soft_wrap=True,
        )
    for marked in read_marked(attempt):
        if not marked.wrong:
            out().print(
                f"[dim]·[/] verdict {marked.number} {escape(_marked(marked.signature, signers))}", soft_wrap=True
            )
    out().print("[green]✔[/] the evidence is intact" if good else "[red]✘[/] the evidence is not as its host wrote it")
    return 0 if good else 1


def _marked(said: Signature | None, signers: list[str]) -> str:
    """Who signed a verdict, and whether that is who ran the lab."""
    if said is None:
        return "is not signed"
    about = ", ".join(part for part in (said.by, said.why) if part)
    told = f"({about}) " if about else ""
    if not signers or said.key_id in signers:
        return f"{told}is signed by the key {said.key_id}"
    return f"{told}is signed by the key {said.key_id}, which is not the one that ran the lab"


def _whose(signer: str) -> str:
    """Whether a key is the one of the person at this machine."""
    from labsim.errors import EvidenceError
    from labsim.evidence.key import PUBLIC, PublicKey
    from labsim.userdata import data_folder

    try:
        own = PublicKey.read(data_folder() / PUBLIC).id
    except EvidenceError:
        own = ""
    return " (yours)" if signer == own else " (the attempt carries it; give --key to hold it against one you know)"
