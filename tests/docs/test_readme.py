"""README.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from labsim.cli.main import app
from labsim.scenario.folder import builtin_scenarios

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def _table(head: str) -> str:
    return PAGE.split(f"| {head} |")[1].split("\n\n")[0]


def test_every_command_is_named() -> None:
    """The table of commands has each of them, and no other."""
    command = typer.main.get_command(app)
    named = re.findall(r"`(?:labsim ?)?([a-z]*)[^`]*`", "".join(line.split("|")[1] for line in _rows("command")))
    assert set(filter(None, named)) == set(command.commands)  # type: ignore[attr-defined] # it is a group


def test_every_lab_it_names_is_there() -> None:
    """No lab of the table is missing among those that come with labsim."""
    named = re.findall(r"`([a-z-]+)`", "".join(line.split("|")[1] for line in _rows("lab")))
    assert named
    assert set(named) <= set(builtin_scenarios())


def test_every_link_leads_somewhere() -> None:
    """Pages and pictures exist, and every page of docs/ is linked."""
    links = set(re.findall(r"\]\(([\w/.-]+)\)", PAGE))
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= links


def _rows(head: str) -> list[str]:
    return [line for line in _table(head).splitlines() if line.startswith("| `")]
