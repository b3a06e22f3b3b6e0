"""Replaying an attempt: the plant computed anew from scenario, seed and journalled inputs, and compared bit for bit.

What an appeal needs to know is whether the truth that the marks were measured against was the plant's own. The history says what
it was; this says that nothing but the scenario, the seed and what clients did can have made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from labsim.evidence.evidence import Evidence
from labsim.evidence.history_file import read_records, read_texts, record_files
from labsim.evidence.manifest import installed_versions
from labsim.lab.build import build_plant
from labsim.lab.inputs import Inputs
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.plant.tags import Value
from labsim.scenario.load import load_scenario

_TELL_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that came out otherwise."""

    step: int
    tag: str
    recorded: Value | None
    computed: Value

    def __str__(self) -> str:
        when = f"step {self.step} ({self.step / 10:.1f} s)"
        return f"{when}: {self.tag} was recorded as {self.recorded!r}, but is {self.computed!r}."

    def to_json(self) -> dict[str, Any]:
        """As ``labsim replay --json`` prints it."""
        return {
            "step": self.step,
            "tag": self.tag,
            "recorded": self.recorded,
            "computed": self.computed,
            "message": str(self),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay came to.

    Attributes:
        steps: Steps computed.
        values: Recorded values compared.
        difference: The first that differs, if one does.
        versions: Libraries that are not those of the run, by name: what the run had and what is here.
    """

    steps: int
    values: int
    difference: Difference | None
    versions: dict[str, tuple[str, str]]


def replay_attempt(folder: Path, tell: Callable[[int, int], None] = lambda _done, _all: None) -> Replay:
    """Compute the plant of an attempt again and compare it with its history.

    Args:
        folder: The attempt.
        tell: Is told how many steps are done, of how many.

    Raises:
        AttemptError: it cannot be read.
    """
    evidence = Evidence.load(folder)
    manifest = evidence.manifest
    scenario = load_scenario(folder / "scenario", seed=manifest.seed, catalogue=None, drawn=manifest.variants)
    plant = build_plant(scenario, manifest.seed, SimClock())
    plant.start()
    inputs = Inputs(plant, evidence.records)
    values, last = 0, 0
    for path in record_files(folder):
        records, texts = read_records(path), read_texts(path.with_suffix(".text"))
        bounds = [*np.flatnonzero(np.diff(records["step"], prepend=-1)).tolist(), len(records)]
        for begin, end in pairwise(bounds):
            last = int(records["step"][begin])
            while plant.clock.step < last:
                inputs.advance()
                if plant.clock.step % _TELL_EVERY == 0:
                    tell(plant.clock.step, evidence.history.last_step)
            difference = _compare(plant, records[begin:end], texts)
            values += end - begin
            if difference is not None:
                return Replay(last, values, difference, _other_versions(manifest.versions))
    return Replay(last, values, None, _other_versions(manifest.versions))


def _compare(plant: Plant, records: np.ndarray[Any, Any], texts: list[str]) -> Difference | None:
    """The first of one step's records that the store does not have bit for bit."""
    store, rows = plant.store, records["tag"]
    same = (store.value[rows].view(np.uint64) == np.ascontiguousarray(records["value"]).view(np.uint64)) & (
        store.status[rows] == records["status"]
    )
    for record in records[~same]:
        tag = store.tags[int(record["tag"])]
        computed = store.read(tag.row)
        recorded: Value | None = float(record["value"])
        if tag.type == "text":
            line = int(record["value"])
            recorded = texts[line] if line < len(texts) else None
            if recorded == computed and store.status[tag.row] == record["status"]:
                continue
        return Difference(int(record["step"]), tag.path, recorded, computed)
    return None


def _other_versions(then: dict[str, str]) -> dict[str, tuple[str, str]]:
    here = installed_versions()
    return {name: (version, here.get(name, "")) for name, version in then.items() if here.get(name) != version}
