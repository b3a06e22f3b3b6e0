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
from labsim.cli.words import say


def grading(attempt: Path, document: Mapping[str, Any], by: str, why: str) -> dict[str, Any]:
    """The part ``grading`` of a verdict document: ``by``, ``why``, the verdict it ``follows`` and the ``changes``.

    Nothing when it is the first verdict and nobody says who marks.
    """
    from grader.difference import differences
    from labsim.evidence.verdicts import FOLDER as VERDICTS

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


def print_grading(document: Mapping[str, Any], console: Console, lang: str) -> None:
    """What changed, as a table."""
    about = document.get("grading")
    if not about or about["follows"] is None:
        return
    console.print()
    if not about["changes"]:
        console.print(f"[dim]{say('no_difference', lang, number=about['follows'])}[/]")
        return
    console.print(f"[bold]{say('differs', lang, number=about['follows'])}[/]")
    table = Table(show_header=False, box=None, padding=(0, 1), pad_edge=False)
    for change in about["changes"]:
        before, after = (_shown(change[side], lang) for side in ("from", "to"))
        table.add_row(say(f"change.{change['what']}", lang), escape(change["id"]), before, "→", after)
    console.print(table)


def _shown(part: Mapping[str, Any] | None, lang: str) -> str:
    if part is None:
        return "[dim]–[/]"
    score, top = float(part["score"] or 0), float(part["max"] or 0)
    return f"{sign(str(part['outcome']), score, top, lang)} {score:g}/{top:g}"
