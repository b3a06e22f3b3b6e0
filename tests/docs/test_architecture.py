"""docs/architecture.md says of the code what the code says."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

from labsim.lab.control import Control

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_request_of_the_control_api_is_in_the_table() -> None:
    """No route is missing and none is invented."""
    routes = set(re.findall(r'Route\("(/\w+)"', inspect.getsource(Control._app)))
    table = PAGE.split("## Control API")[1].split("\n## ")[0]
    rows = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"(?:GET|POST) (/\w+)", rows)) == routes


def test_every_package_has_its_floor() -> None:
    """The floors of the page are those that the import contract holds, in its order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    held = [name.strip() for layer in layers for name in layer.split("|")]
    rows = PAGE.split("## Floors")[1].split("\n## ")[0]
    floors: dict[str, int] = {}
    for line in rows.splitlines():
        if found := re.match(r"\| (\d) \| (.*?) \|", line):
            floors |= dict.fromkeys(re.findall(r"`([\w.]+?)(?:\.\{[^}]*\})?`", found[2]), int(found[1]))
    assert set(floors) == set(held)
    assert [floors[name] for name in held] == sorted((floors[name] for name in held), reverse=True)


def test_every_file_and_page_it_names_is_there() -> None:
    """Paths of modules and links to other pages lead somewhere."""
    paths = re.findall(r"`((?:labsim|grader)/[\w/]+(?:\.py)?)`", PAGE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    links = re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
