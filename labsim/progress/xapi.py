"""A record as xAPI 1.0.3 statements, for a learning record store that is elsewhere.

One statement per attempt: the actor passed or failed the scenario, with the score, how long it took, and its competences as
category activities. A statement's id is made of the attempt's head, so exporting twice gives the same ids and a store keeps each
once (xAPI-Data §2.4.1).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from labsim.progress.record import Entry
from labsim.progress.standing import share

_VERBS = {True: "passed", False: "failed"}
_NAMESPACE = uuid.UUID("5d1f0a7e-9f0c-5a53-8a3e-2a1d6b6f4c11")
_SIMULATION = "http://adlnet.gov/expapi/activities/simulation"
_TAGS = {"en": "en", "zh-Hant": "zh-Hant", "zh-Hans": "zh-Hans"}


def statements(record: Iterable[Entry], actor: str, home: str) -> list[dict[str, Any]]:
    """The statements of a record, the oldest first.

    Args:
        record: Finished attempts.
        actor: Account name of the learner; a pseudonym will do.
        home: The system the account is of, as a URI.
    """
    return [_statement(entry, actor, home) for entry in record]


def _statement(entry: Entry, actor: str, home: str) -> dict[str, Any]:
    verb = _VERBS[entry.passed]
    return {
        "id": str(uuid.uuid5(_NAMESPACE, f"{entry.scenario}/{entry.head}")),
        "actor": {"objectType": "Agent", "account": {"name": actor, "homePage": home}},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"urn:labsim:scenario:{entry.scenario}",
            "definition": {"type": _SIMULATION, "name": {_TAGS.get(lang, lang): said for lang, said in entry.title.items()}},
        },
        "result": {
            "score": {"scaled": round(share(entry), 4), "raw": entry.score, "min": 0, "max": entry.max},
            "success": entry.passed,
            "completion": True,
            "duration": f"PT{round(entry.minutes * 60)}S",
        },
        "context": {
            "platform": "labsim",
            "contextActivities": {
                "category": [
                    {"objectType": "Activity", "id": f"urn:labsim:competence:{name}"} for name in entry.competences
                ]
            },
            "extensions": {"urn:labsim:extension:seed": entry.seed, "urn:labsim:extension:head": entry.head},
        },
        "timestamp": entry.at,
    }  # fmt: skip
