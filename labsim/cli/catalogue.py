"""``labsim list`` and ``labsim show``: what can be run."""

from __future__ import annotations

from typing import Any

import typer

from labsim.cli import options as opt
from labsim.cli.output import out, print_json
from labsim.cli.words import say, table


def entries(lang: str | None) -> list[dict[str, Any]]:
    """The catalogue as the contract prints it: titles in ``lang``, or in every language for None."""
    from labsim.scenario.folder import builtin_scenarios, peek

    found = [peek(folder) for folder in builtin_scenarios().values()]
    return [
        {
            "id": e.id,
            "title": e.title.say(lang) if lang else dict(e.title),
            "level": e.level,
            "minutes": e.minutes,
            "competences": list(e.competences),
        }
        for e in found
    ]


def list_scenarios(as_json: bool = opt.JSON, lang: str = opt.LANG) -> None:
    """List the scenarios."""
    lang = opt.language(lang)
    rows = entries(lang)
    if as_json:
        print_json(rows)
        return
    shown = table(lang, "id", "title", "level", "minutes", "competences", right=("minutes",))
    for row in rows:
        level = say(f"level.{row['level']}", lang)
        shown.add_row(row["id"], row["title"], level, str(row["minutes"]), ", ".join(row["competences"]))
    out().print(shown)


def show(
    scenario: str = typer.Argument(help="A scenario's id or folder."),
    lang: str = opt.LANG,
    seed: str = typer.Option("", help="Show the briefing as this seed draws it."),
    as_json: bool = opt.JSON,
) -> None:
    """Show one scenario's briefing."""
    from labsim.cli.markdown import WholeMarkdown
    from labsim.lab.catalogue import LabCatalogue
    from labsim.scenario.brief import Brief
    from labsim.scenario.folder import find_scenario
    from labsim.scenario.load import load_scenario
    from labsim.scenario.variant import new_seed

    folder, tongue = find_scenario(scenario), opt.language(lang)
    loaded = load_scenario(folder, seed=seed or new_seed(), catalogue=LabCatalogue())
    brief = Brief.load(folder, loaded.drawn)
    tasks = [
        {
            "id": t.id,
            "title": t.title.say(tongue),
            "marks": t.marks,
            "brief": brief.section(t.brief, tongue) if t.brief else "",
        }
        for t in loaded.tasks
    ]
    if as_json:
        head = {"id": loaded.id, "title": loaded.title.say(tongue), "level": loaded.level, "minutes": loaded.minutes}
        print_json(head | {"competences": list(loaded.competences), "brief": brief.story(tongue), "tasks": tasks})
        return
    parts = [
        f"# {loaded.title.say(tongue)}",
        f"{loaded.id} · {say(f'level.{loaded.level}', tongue)} · {loaded.minutes} min",
        brief.story(tongue),
    ]
    for task in tasks:
        parts += [f"## {task['title']} ({task['marks']:g})", str(task["brief"])]
    out().print(WholeMarkdown("\n\n".join(parts)))
