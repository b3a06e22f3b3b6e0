"""What a face sees of a running lab: the ``GET /lab`` document of the control API."""

from __future__ import annotations

from typing import Any

from labsim.lab import words
from labsim.lab.lab import Lab
from labsim.scenario.model import Task


def lab_document(lab: Lab, lang: str) -> dict[str, Any]:
    """The lab as it stands, in ``lang``; never a true value, a hidden fault or a variant."""
    scenario = lab.scenario
    return {
        "scenario": {
            "id": scenario.id,
            "title": scenario.title.say(lang),
            "level": scenario.level,
            "minutes": scenario.minutes,
            "competences": list(scenario.competences),
            "brief": lab.brief.story(lang),
        },
        "seed": lab.seed,
        "attempt": str(lab.options.attempt),
        "handin": str(lab.options.attempt / "handin"),
        "speed": lab.options.speed,
        "mode": lab.mode,
        "state": lab.state,
        "trouble": _trouble(lab, lang),
        "t": lab.clock.now_ns() / 1e9,
        "lang": lang,
        "endpoints": lab.addresses(),
        "devices": [
            {
                "path": path,
                "type": device.interface.type,
                "title": (scenario.plant[path].title or device.interface.title).say(lang),
                "settings": {name: device.settings[name] for name in lab.settings.open(path)},
            }
            for path, device in lab.plant.devices.items()
        ],
        "tasks": [_task(lab, task, lang) for task in scenario.tasks],
        "verdict": lab.verdict,
        "late_steps": lab.clock.late_steps,
        "clients": lab.ledger.clients.to_json(),
    }


def _trouble(lab: Lab, lang: str) -> str | None:
    """Why the lab has to wait, where, and what to do."""
    if lab.keeper.outage is None:
        return None
    error = lab.keeper.outage.error
    return words.DISK.format(place=error.place, reason=error.reason).say(lang)


def _task(lab: Lab, task: Task, lang: str) -> dict[str, Any]:
    opened = lab.tasks.opened(task.id)
    return {
        "id": task.id,
        "title": task.title.say(lang),
        "brief": lab.brief.section(task.brief, lang) if task.brief else "",
        "marks": task.marks,
        "answer": task.answer.say(lang) if task.answer else None,
        "answered": lab.tasks.answered(task.id),
        "hints": {
            "total": 0 if lab.mode == "exam" else len(task.hints),
            "opened": [{"text": hint.text.say(lang), "cost": hint.cost} for hint in task.hints[:opened]],
            "next_cost": task.hints[opened].cost if opened < len(task.hints) and lab.mode != "exam" else None,
        },
    }
