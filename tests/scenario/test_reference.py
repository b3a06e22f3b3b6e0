"""The reference of every key."""

from __future__ import annotations

import re
from pathlib import Path

from labsim.scenario.model import ScenarioFile
from labsim.scenario.reference import reference

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date():
    """docs/scenario-reference.md is what ``python -m labsim.scenario.reference docs/scenario-reference.md`` writes."""
    assert (DOCS / "scenario-reference.md").read_text(encoding="utf-8") == reference()


def test_every_key_has_a_meaning():
    """No row of a table lacks what may stand there or what it means."""
    keys = reference().partition("## Problems that lint tells")[0]
    rows = [line.split(" | ") for line in keys.splitlines() if re.match(r"\| `\w+` \|", line)]
    assert len(rows) > 100
    assert set(ScenarioFile.model_fields) <= {row[0].strip("| `") for row in rows}
    for row in rows:
        assert row[1].strip(), row
        assert row[3].strip(" |").endswith("."), row


def test_links_lead_somewhere():
    """Each link inside the page is to one of its headings, each to another page to a file."""
    page = reference()
    headings = {line[3:].lower().replace(" ", "-") for line in page.splitlines() if line.startswith("## ")}
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in headings
        else:
            assert (DOCS / target).is_file(), target
