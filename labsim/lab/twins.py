"""Many attempts of one scenario with one seed, replayed together: what the same inputs brought about is computed once.

A plant depends on its scenario, its seed and its inputs alone. So an attempt whose inputs are the first of those of another, with
none of that other's before it ended, has the beginning of the other's history; where it has that bit for bit, what the replay of
the longer says holds for the shorter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.history_file import read_records, read_texts, record_files
from labsim.lab.inputs import is_input
from labsim.lab.replay import Difference, replay_attempt
from labsim.plant.clock import STEP_NS

_NOT_OF_AN_INPUT = frozenset({"seq", "t", "w", "m", "session", "client", "app"})
"""What differs though the plant is told the same: when on the wall, by whom, and where inside a step."""


def replay_twins(folders: Iterable[Path]) -> dict[Path, Difference | None]:
    """The first difference in each of the attempts of one scenario and seed, as `replay_attempt` finds it.

    Raises:
        AttemptError: one cannot be read.
    """
    found: dict[Path, Difference | None] = {}
    replayed: list[_Course] = []
    for course in sorted(map(_Course.of, folders), key=lambda one: one.last, reverse=True):
        if any(course.begins(other) for other in replayed):
            found[course.folder] = None
            continue
        found[course.folder] = replay_attempt(course.folder).difference
        if found[course.folder] is None:
            replayed.append(course)
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """What went into a plant and what came of it.

    Attributes:
        inputs: The step during which each came, and what it said.
        epochs: Records and texts of each.
        last: The last recorded step.
    """

    folder: Path
    inputs: list[tuple[int, dict[str, Any]]]
    epochs: list[tuple[bytes, list[str]]]
    last: int

    @classmethod
    def of(cls, folder: Path) -> _Course:
        """The course of an attempt."""
        evidence = Evidence.load(folder)
        files = record_files(folder)
        epochs = [(read_records(path).tobytes(), read_texts(path.with_suffix(".text"))) for path in files]
        inputs = [(record.t // STEP_NS, _said(record)) for record in evidence.records if is_input(record)]
        return cls(folder, inputs, epochs, evidence.history.last_step)

    def begins(self, other: _Course) -> bool:
        """Whether the other, which went on longer, had the same inputs until then and has the same history."""
        if len(self.epochs) != 1 or len(other.epochs) != 1:
            return False  # an epoch begins with every tag, so the records of one and of two differ
        count = len(self.inputs)
        ((records, texts),), ((others, other_texts),) = self.epochs, other.epochs
        return (
            self.inputs == other.inputs[:count]
            and all(step >= self.last for step, _ in other.inputs[count:])
            and others.startswith(records)
            and other_texts[: len(texts)] == texts
        )


def _said(record: Record) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(record).items() if name not in _NOT_OF_AN_INPUT}
