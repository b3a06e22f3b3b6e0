"""A verdict that follows on another: who marked anew, why, and what that changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labsim.cli.output import sign


def grading(attempt: Path, document: Mapping[str, Any], by: str, why: str) -> dict[str, Any]:
    """The part ``grading`` of a verdict document: ``by``, ``why``, the verdict it ``follows`` and the ``changes``.

    Nothing when it is the first verdict and nobody says who marks.
    """
    from grader.difference import differences
    from labsim.evidence.attempt import VERDICTS

    earlier = sorted((attempt / VERDICTS).glob("*.json"))
    last: dict[str, Any] | None = None
    if earlier:
        try:
            last = json.loads(earlier[-1].read_bytes())
        except (OSError, ValueError):
            last = None  # what is wrong with it is for the verification to say
    if last is None and not by and not why:
        return {}
    changes = [] if last is None else differences(last, document)
    follows = earlier[-1].stem if last is not None else None
    return {"grading": {"by": by, "why": why, "follows": follows, "changes": changes}}


def print_grading(document: Mapping[str, Any], console: Console) -> None:
    """What changed, as a table."""
    about = document.get("grading")
    if not about or about["follows"] is None:
        return
    console.print()
    if not about["changes"]:
        console.print(f"[dim]no mark differs from verdict {about['follows']}[/]")
        return
    console.print(f"[bold]differs from verdict {about['follows']}[/]")
    table = Table(show_header=False, box=None, padding=(0, 1), pad_edge=False)
    for change in about["changes"]:
        table.add_row(change["what"], escape(change["id"]), _shown(change["from"]), "→", _shown(change["to"]))
    console.print(table)


def _shown(part: Mapping[str, Any] | None) -> str:
    if part is None:
        return "[dim]–[/]"
    score, top = float(part["score"] or 0), float(part["max"] or 0)
    return f"{sign(str(part['outcome']), score, top)} {score:g}/{top:g}"
