"""What a lab begins with: a scenario's folder, or an attempt that was not closed and is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from grader.grade import mode_of
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.folder import SCENARIO
from labsim.evidence.key import SigningKey
from labsim.evidence.manifest import Manifest
from labsim.lab.build import nameplates, tag_infos
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.options import Options
from labsim.plant.plant import Plant
from labsim.scenario.brief import Brief
from labsim.scenario.folder import scenario_files
from labsim.scenario.load import load_scenario
from labsim.scenario.marking import Mode
from labsim.scenario.model import Scenario


class Origin:
    """Where one lab comes from.

    Args:
        folder: The scenario's folder.
        options: How the lab is run. An attempt that is there already goes before the folder: its own copy of the scenario,
            its seed and its variants count.

    Attributes:
        resumed: It is an attempt that is gone on with.
        records: The journal so far.
        seed: Draws everything.
        scenario: With what was drawn.
        brief: What the trainee reads.
        mode: Training or exam.
        utc_origin_ns: UTC of plant time 0; None when it is not decided yet.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder, self._options = folder, options
        self.resumed = (options.attempt / "manifest.json").exists()
        seen = Evidence.load(options.attempt) if self.resumed else None
        source = options.attempt / SCENARIO if seen else folder
        self.records: Sequence[Record] = seen.records if seen else ()
        self.seed = seen.manifest.seed if seen else options.seed
        drawn = seen.manifest.variants if seen else None
        self.scenario: Scenario = load_scenario(source, seed=self.seed, catalogue=LabCatalogue(), drawn=drawn)
        self.brief = Brief.load(source, self.scenario.drawn)
        self.mode: Mode = mode_of(seen, self.scenario) if seen else "exam" if options.exam else self.scenario.mode
        self.utc_origin_ns = seen.manifest.utc_origin_ns if seen else None

    def open(self, plant: Plant, graded: AbstractSet[str], clock_t: Callable[[], int]) -> Attempt:
        """The attempt to write into: a new one, or a new epoch of the one that is gone on with.

        Args:
            plant: The scenario's plant.
            graded: Paths of the tags that checks look at.
            clock_t: Plant nanoseconds now.

        Raises:
            AttemptError: the folder is no place for it.
            EvidenceError: the disk takes nothing.
        """
        if self.resumed:
            return Attempt.resume(self._options.attempt, clock_t, SigningKey())
        manifest = Manifest.new(
            scenario=self.scenario.id,
            title=dict(self.scenario.title),
            seed=self.seed,
            variants=dict(self.scenario.drawn),
            speed=self._options.speed,
            lang=self._options.lang,
            utc_origin_ns=plant.clock.utc_origin_ns,
            devices=nameplates(plant),
        )
        return Attempt.create(
            self._options.attempt,
            manifest=manifest,
            tags=tag_infos(plant, graded),
            scenario_files=scenario_files(self._folder),
            clock_t=clock_t,
            key=SigningKey(),
        )
