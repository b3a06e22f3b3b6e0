"""References to OPC 10000: each names a section that is in sections.json, which was held against the published text.

The table has the titles of release 1.05.07. Before a section is added there, look it up: numbers differ between releases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TABLE: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "sections.json").read_text(encoding="utf-8"))
_OURS = ("labsim", "devices", "grader", "docs", "tests")
_BARE = ("labsim/endpoints/opcua", "tests/endpoints/opcua")
"""Folders where a section without its part belongs to the part that was named last."""

_REFERENCE = re.compile(
    r"OPC 10000-(?P<part>\d+)(?=[^\w.]+(?:Annex|§))"
    r"|(?P<other>(?:RFC \d+|X\.690|OPC (?!10000)\d{5}(?:-\d+)?) §[\d.]*\d(?:(?:,| to| and) §[\d.]*\d)*)"
    r"|§(?P<section>[A-Z]?\.?\d+(?:\.\d+)*)"
)


def _files() -> Iterator[Path]:
    for folder in _OURS:
        for suffix in ("*.py", "*.md", "*.yaml"):
            yield from (path for path in (_ROOT / folder).rglob(suffix) if "foreign" not in path.parts)


def _sections(text: str, *, bare: bool) -> Iterator[tuple[str, str]]:
    """Part and section of each reference in a text."""
    part: str | None = None
    for line in text.splitlines():
        if not bare:
            part = None
        for match in _REFERENCE.finditer(line):
            if match["part"]:
                part = match["part"]
            elif match["section"] and part is not None:
                yield part, match["section"]


def _cited() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for path in _files():
        name = path.relative_to(_ROOT).as_posix()
        for key in _sections(path.read_text(encoding="utf-8"), bare=name.startswith(_BARE)):
            found.setdefault(key, name)
    return found


def test_known() -> None:
    """Every section of OPC 10000 that is cited is in the table."""
    assert {
        f"{name}: OPC 10000-{part} §{section}"
        for (part, section), name in _cited().items()
        if section not in _TABLE[part]
    } == set()


def test_needed() -> None:
    """The table has no section that nobody cites."""
    cited = _cited()
    assert [
        (part, section) for part, sections in _TABLE.items() for section in sections if (part, section) not in cited
    ] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(OPC 10000-4 §5.11.2, §7.27, OPC 10000-6 §F.3)", [("4", "5.11.2"), ("4", "7.27"), ("6", "F.3")]),
        ("OPC 10000-4 §5.5 to §5.7", [("4", "5.5"), ("4", "5.7")]),
        ("OPC 10000-4 §5.5; OPC 30050 §6.2, §6.3", [("4", "5.5")]),
        ("RFC 5280 §4.2.1.3", []),
    ],
)
def test_found(text: str, found: list[tuple[str, str]]) -> None:
    """References are found with their parts; those to other standards are not ours."""
    assert list(_sections(text, bare=False)) == found
