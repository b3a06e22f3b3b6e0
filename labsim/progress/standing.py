"""Where a learner stands: the best marks per scenario and per competence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labsim.progress.record import Entry


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a learner has come with one scenario or one competence.

    Attributes:
        name: Id of the scenario or competence.
        attempts: Finished attempts.
        best: Best share of the marks, 0 to 1.
        passed: Whether one of them passed.
        last: When the last was finished, RFC 3339 UTC.
    """

    name: str
    attempts: int
    best: float
    passed: bool
    last: str


def by_scenario(record: Iterable[Entry]) -> dict[str, Standing]:
    """Standings of the scenarios that were attempted."""
    return _standings((entry.scenario, entry) for entry in record)


def by_competence(record: Iterable[Entry]) -> dict[str, Standing]:
    """Standings of the competences whose scenarios were attempted; an attempt counts for each that its scenario names."""
    return _standings((name, entry) for entry in record for name in entry.competences)


def share(entry: Entry) -> float:
    """The part of the marks an attempt reached."""
    return entry.score / entry.max if entry.max else 0.0


def _standings(pairs: Iterable[tuple[str, Entry]]) -> dict[str, Standing]:
    grouped: dict[str, list[Entry]] = {}
    for name, entry in pairs:
        grouped.setdefault(name, []).append(entry)
    return {name: _standing(name, found) for name, found in grouped.items()}


def _standing(name: str, found: Sequence[Entry]) -> Standing:
    return Standing(
        name,
        len(found),
        max(map(share, found)),
        any(entry.passed for entry in found),
        max(entry.at for entry in found),
    )
