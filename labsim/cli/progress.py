"""``labsim progress``: what the learner at this machine has done, and how far each competence has come."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path
from typing import Any

import typer
from rich.text import Text as Line

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json
from labsim.cli.words import say, table
from labsim.errors import InputError

_BAR = 20


def progress(
    as_json: bool = opt.JSON,
    lang: str = opt.LANG,
    xapi: Path | None = typer.Option(None, help="Write the record to this file as xAPI statements."),
    actor: str = typer.Option("", help="Account name of the learner in the xAPI statements; your login by default."),
    home: str = typer.Option("", help="The system that account is of, as a URI; this machine by default."),
) -> None:
    """Show your attempts and the best marks of each competence."""
    from labsim.progress.record import entries

    opt.language(lang)
    record = entries()
    if xapi is not None:
        _export(xapi, actor or getpass.getuser(), home or f"urn:labsim:machine:{socket.gethostname()}")
        return
    document = standing(lang)
    if as_json:
        print_json(document)
    elif not record:
        out().print(say("no_record", lang))
    else:
        _print(document, lang)


def record_of() -> dict[str, Any]:
    """The record as the terminal UI takes it: marks by lab, every competence with how far it has come; texts by language."""
    from dataclasses import asdict

    from labsim.progress.record import entries
    from labsim.progress.standing import by_competence, by_scenario
    from labsim.scenario.competence import competences, functions

    record = entries()
    reached = by_competence(record)
    return {
        "labs": {name: asdict(standing) for name, standing in by_scenario(record).items()},
        "competences": [
            {
                "id": one.id,
                "level": one.level,
                "function": dict(functions()[one.function]),
                "title": dict(one.title),
                "attempts": reached[one.id].attempts if one.id in reached else 0,
                "best": round(reached[one.id].best, 4) if one.id in reached else None,
                "passed": one.id in reached and reached[one.id].passed,
            }
            for one in competences().values()
        ],
    }


def standing(lang: str) -> dict[str, Any]:
    """The record as ``labsim progress --json`` prints it: attempts, and every competence with how far it has come."""
    from labsim.progress.record import entries
    from labsim.progress.standing import share
    from labsim.text import Text

    return {
        "attempts": [
            {
                "at": entry.at,
                "scenario": entry.scenario,
                "title": Text.of(entry.title).say(lang),
                "score": entry.score,
                "max": entry.max,
                "share": round(share(entry), 4),
                "passed": entry.passed,
                "minutes": entry.minutes,
                "seed": entry.seed,
                "attempt": entry.attempt,
            }
            for entry in entries()
        ],
        "competences": [
            row | {key: Text.of(row[key]).say(lang) for key in ("function", "title")}
            for row in record_of()["competences"]
        ],
    }


def _print(document: dict[str, Any], lang: str) -> None:
    console = out()
    rows = table(lang, "competence", "", "best", "", "attempts", right=("attempts",))
    for row in document["competences"]:
        if row["best"] is not None:
            full = round(row["best"] * _BAR)
            bar = Line.assemble(("█" * full, "green" if row["passed"] else "yellow"), ("░" * (_BAR - full), "dim"))
            rows.add_row(row["id"], row["title"], bar, f"{row['best']:.0%}", str(row["attempts"]))
    console.print(rows)
    open_ones = sum(row["best"] is None for row in document["competences"])
    console.print(f"[dim]{say('open_competences', lang, n=open_ones, all=len(document['competences']))}[/]\n")
    rows = table(lang, "finished", "lab", "score", "")
    for row in document["attempts"][-10:]:
        verdict = Line(*((say("passed", lang), "green") if row["passed"] else (say("not_passed", lang), "yellow")))
        rows.add_row(row["at"][:16].replace("T", " "), row["title"], f"{row['score']:g} / {row['max']:g}", verdict)
    console.print(rows)


def _export(file: Path, actor: str, home: str) -> None:
    from labsim.progress.record import entries
    from labsim.progress.xapi import statements

    made = statements(entries(), actor, home)
    try:
        file.write_text(json.dumps(made, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}).") from None
    err().print(f"[dim]{len(made)} statements in {file}[/]")
