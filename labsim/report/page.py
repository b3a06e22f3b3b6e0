"""The report of an attempt: one HTML page that needs nothing else, made from the attempt's folder alone.

Same folder, same language, same page: nothing in it depends on when or where it is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from grader.grade import grade
from grader.probing import without_probes
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.reader import uncollected
from labsim.evidence.seal import SEAL
from labsim.evidence.verdicts import FOLDER as VERDICTS
from labsim.evidence.verify import ok, verify
from labsim.report import words
from labsim.report.axis import clock, elapsed
from labsim.report.chart import chart
from labsim.report.delivered import comparisons
from labsim.report.lanes import bands, lab_marks, lanes
from labsim.report.rows import row, rows
from labsim.report.timeline import timeline
from labsim.scenario.load import load_scenario
from labsim.scenario.model import Scenario
from labsim.scenario.timeline import all_entries

_SIGNS = {"passed": "✔", "failed": "✘", "partly": "◐", "not_checked": "⊘", "cannot_check": "!"}


@uncollected()
def report(folder: Path, lang: str, *, full: bool = False) -> str:
    """The page.

    Args:
        folder: The attempt.
        lang: Language of the page.
        full: For the instructor: everything. Otherwise hidden faults and the truth behind hand-in files wait until the lab
            is sealed, and an exam tells no more than its scenario allows, sealed or not.

    Raises:
        AttemptError: the folder cannot be read.
        ScenarioError: the scenario in it cannot.
    """
    findings = verify(folder)  # first, so that what it needs of memory is free again
    evidence = Evidence.load(folder)
    manifest = evidence.manifest
    scenario = load_scenario(folder / "scenario", seed=manifest.seed, catalogue=None, drawn=manifest.variants)
    marked = grade(evidence, scenario)
    voice = "training" if full else marked.voice
    verdict = marked.to_json(lang, voice)
    sealed, kept = _sealed(folder), _kept(folder)
    open_ = full or (sealed is not None and voice == "training")
    return _template().render(
        lang=lang,
        w=partial(_word, lang),
        css=Markup(_resource("report.css")),  # noqa: S704 - our own file
        title=scenario.title.say(lang),
        level=words.word(f"level.{scenario.level}", lang),
        scenario=scenario,
        manifest=manifest,
        attempt=folder.resolve().name,
        variants=", ".join(f"{name} = {value}" for name, value in sorted(manifest.variants.items())),
        versions=", ".join(f"{name} {version}" for name, version in verdict["versions"].items()),
        sealed=sealed,
        lasted=elapsed(evidence.end_ns),
        began=f"{clock(evidence, 0)} UTC",
        verdict=verdict,
        head=_grouped(verdict["head"]),
        findings=[str(finding) for finding in findings if not finding.note],
        intact=ok(findings),
        kept=kept,
        differs=bool(kept) and (kept[-1]["score"], kept[-1]["max"]) != (verdict["score"], verdict["max"]),
        tasks=[
            _task(evidence, scenario, task, lang, show=open_, told=voice == "training") for task in verdict["tasks"]
        ],
        penalties=[p | {"rows": rows(evidence, p["evidence"], lang)} for p in verdict["penalties"]],
        timeline=_timeline(evidence, lang, hidden=open_),
        faults=[
            {"target": b.target, "fault": b.fault, "start": elapsed(b.start), "end": elapsed(b.end), "hidden": b.hidden}
            for b in bands(evidence, hidden=open_)
        ],
        withheld=not open_ and any(entry.hidden for entry in (*scenario.timeline, *all_entries(scenario.timeline))),
        voice=voice,
        incidents=[row(evidence, record, lang) for record in evidence.of("lab", "incident")],
        hints=[_hint(evidence, scenario, record, lang) for record in evidence.of("lab", "hint")],
        files=[handed for path in evidence.files() if (handed := evidence.file(path)) is not None],
        clock=partial(clock, evidence),
    )


def _word(lang: str, name: str, **facts: object) -> str:
    return words.word(name, lang, **facts)


def _task(
    evidence: Evidence, scenario: Scenario, task: dict[str, Any], lang: str, *, show: bool, told: bool
) -> dict[str, Any]:
    specs = {spec.id: spec for each in scenario.tasks for spec in each.checks}
    checks = []
    for check in task["checks"]:
        charts = []
        if told and check["outcome"] in ("passed", "failed"):
            for number, one in enumerate(comparisons(evidence, specs[check["id"]], files=show), 1):
                name = f"chart-{check['id']}-{number}".replace(".", "-")
                charts.append(Markup(chart(one, name, lang)))  # noqa: S704 - our own picture, escaped where it is built
        checks.append(check | _outcome(check) | {"rows": rows(evidence, check["evidence"], lang), "charts": charts})
    answer = evidence.answer(task["id"])
    return task | _outcome(task) | {"checks": checks, "answer": None if answer is None else str(answer.values[0])}


def _outcome(item: Mapping[str, Any]) -> dict[str, str]:
    """An outcome as it is shown: something between nothing and everything is partly."""
    partly = 0 < item["score"] < item["max"]
    state = "partly" if partly else item["outcome"]
    return {"state": state, "sign": _SIGNS[state]}


def _timeline(evidence: Evidence, lang: str, *, hidden: bool) -> Markup | None:
    found = lanes(without_probes(evidence))
    if not found:
        return None
    drawn = timeline(found, bands(evidence, hidden=hidden), lab_marks(evidence), evidence.end_ns, lang)
    return Markup(drawn)  # noqa: S704 - our own picture, escaped where it is built


def _hint(evidence: Evidence, scenario: Scenario, record: Record, lang: str) -> dict[str, Any]:
    """A hint that was opened: when, for which task, what it said and cost."""
    task = next((task for task in scenario.tasks if task.id == record.detail.get("task")), None)
    index = int(record.detail.get("index", 0))
    known = task is not None and index < len(task.hints)
    return {
        "time": clock(evidence, record.t),
        "task": task.title.say(lang) if task is not None else record.detail.get("task", ""),
        "text": task.hints[index].text.say(lang) if task is not None and known else "",
        "cost": record.detail.get("cost", 0),
    }


def _sealed(folder: Path) -> str | None:
    """When the attempt was sealed; None when it is not."""
    path = folder / SEAL
    if not path.exists():
        return None
    try:
        return str(json.loads(path.read_bytes())["sealed"])
    except (ValueError, KeyError, TypeError):
        return "?"  # what is wrong with it, the verification says


def _kept(folder: Path) -> list[dict[str, Any]]:
    """The verdicts that lie in the folder, in order; what cannot be read is told by the verification."""
    found = []
    for path in sorted((folder / VERDICTS).glob("*.json")):
        try:
            document = json.loads(path.read_bytes())
            found.append(
                {
                    "name": path.stem,
                    "score": document["score"],
                    "max": document["max"],
                    "grader": document["versions"].get("grader", "?"),
                    "head": document["head"][:16],
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _grouped(head: str) -> str:
    """A hash in groups of eight, as a person compares it."""
    return " ".join(head[at : at + 8] for at in range(0, len(head), 8))


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=DictLoader({"report.html": _resource("report.html")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["g"] = lambda value: f"{value:g}"
    return environment.get_template("report.html")
