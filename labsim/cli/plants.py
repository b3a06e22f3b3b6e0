"""``labsim plants``: ready plants, and what an author's own file of one holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from labsim.cli import options as opt
from labsim.cli.output import out, print_json
from labsim.cli.words import table
from labsim.errors import UnknownNameError


def plants(
    name: str = typer.Argument("", help="A ready plant, or a file of one; all that come with labsim when left out."),
    as_json: bool = opt.JSON,
    lang: str = opt.LANG,
) -> None:
    """List the ready plants, or show the devices and flows of one; a file's problems are told with line and column."""
    from labsim.lab.catalogue import LabCatalogue
    from labsim.scenario.include import SUFFIX, load_plant, ready_plants

    tongue, ours = opt.language(lang), ready_plants()
    if name and name not in ours and not name.endswith(SUFFIX):
        raise UnknownNameError("ready plant", name, ours)
    files = {name: ours.get(name, Path(name))} if name else ours
    found = {shown: _document(load_plant(path, LabCatalogue()), tongue) for shown, path in files.items()}
    if as_json:
        print_json(found[name] if name else [{"name": shown, **plant} for shown, plant in found.items()])
    elif name:
        _show(found[name], tongue)
    else:
        rows = table(tongue, "name", "title", "devices")
        for shown, plant in found.items():
            rows.add_row(shown, plant["title"], ", ".join(one["path"] for one in plant["devices"]))
        out().print(rows)


def _document(plant: Any, lang: str) -> dict[str, Any]:
    return {
        "title": plant.title.say(lang),
        "about": plant.about.say(lang) if plant.about is not None else "",
        "crew": plant.crew,
        "devices": [
            {"path": path, "type": one.type, "title": one.title.say(lang) if one.title is not None else "", "place": one.place}
            for path, one in plant.plant.items()
        ],
        "flows": [{"from": flow.source, "to": flow.target, "buffer": flow.buffer} for flow in plant.flows],
    }  # fmt: skip


def _show(plant: dict[str, Any], lang: str) -> None:
    for line in (plant["title"], plant["about"]):
        out().print(line, highlight=False)
    rows = table(lang, "device", "type", "title", "place")
    for one in plant["devices"]:
        rows.add_row(one["path"], one["type"], one["title"], one["place"] or "")
    out().print(rows)
    rows = table(lang, "from", "to", "buffer")
    for flow in plant["flows"]:
        rows.add_row(flow["from"], flow["to"], str(flow["buffer"] or ""))
    out().print(rows)
