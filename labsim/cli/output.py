"""How commands print: one JSON document on stdout, or something a person reads; progress goes to stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labsim.cli.words import say

_SIGNS = {
    "passed": ("green", "✔"),
    "failed": ("red", "✘"),
    "partly": ("yellow", "◐"),
    "not_checked": ("dim", "⊘"),
    "cannot_check": ("magenta", "!"),
}


def print_json(document: Any) -> None:
    """One JSON document on one line, and nothing else, on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def out() -> Console:
    """The console for what a command is asked for."""
    return Console(highlight=False)


def err() -> Console:
    """The console for progress and logs."""
    return Console(stderr=True, highlight=False)


def sign(outcome: str, score: float, top: float, lang: str) -> str:
    """An outcome as sign and word; something between nothing and everything is partly."""
    word = "partly" if 0 < score < top else outcome
    if word not in _SIGNS:
        return escape(word)
    colour, mark = _SIGNS[word]
    return f"[{colour}]{mark} {say(word, lang)}[/]"


def print_verdict(verdict: dict[str, Any], console: Console, lang: str) -> None:
    """A verdict as a table: each task, each check, and for what was lost the reason, expected, actual and a next step.

    Its sentences are as they come; the words around them are in ``lang``.
    """
    table = Table(show_header=False, box=None, padding=(0, 1), pad_edge=False)
    table.add_column(width=16, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for task in verdict["tasks"]:
        table.add_row(
            sign(task["outcome"], task["score"], task["max"], lang),
            f"[bold]{escape(task['title'])}[/]",
            f"[bold]{task['score']:g}/{task['max']:g}[/]",
        )
        for check in task["checks"]:
            lines = [escape(check.get("title") or check["check"]), f"[dim]{escape(check['reason'])}[/]"]
            if check["score"] < check["max"]:
                lines += [
                    f"[dim]{say(name, lang)}:[/] {escape(str(check[name]))}"
                    for name in ("expected", "actual", "help")
                    if check.get(name) not in (None, "")
                ]
            table.add_row(
                "  " + sign(check["outcome"], check["score"], check["max"], lang),
                "\n".join(lines),
                f"{check['score']:g}/{check['max']:g}",
            )
    for penalty in verdict["penalties"]:
        if penalty["marks"] or penalty.get("zero"):
            lost = f" [dim]({escape(penalty['zero'])} → 0)[/]" if penalty.get("zero") else ""
            table.add_row(
                f"[red]− {say('penalty', lang)}[/]", escape(penalty["reason"]) + lost, f"[red]−{penalty['marks']:g}[/]"
            )
    console.print()
    console.print(table)
    word, colour = ("passed", "green") if verdict["passed"] else ("not_passed", "red")
    console.print()
    marks = say("marks", lang, score=f"{verdict['score']:g}", max=f"{verdict['max']:g}")
    console.print(f"[bold]{escape(verdict['scenario'])}[/]  {marks}  [bold {colour}]{say(word, lang)}[/]")
    console.print(f"[dim]{say('stands_on', lang, seed=escape(verdict['seed']), head=verdict['head'][:16])}[/]")
