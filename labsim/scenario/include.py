"""Ready plants: devices and flows that a scenario takes in by name or by path, and may change and add to.

``include: [pack]`` in a scenario takes in ``plants/pack.yaml`` of its own folder, or the one that comes with labsim;
``include: [lines/mine.yaml]`` takes in a file by its path from the scenario's folder. An attempt keeps a copy of each as
``plants/<name>.yaml`` with the scenario, where it is found first; so the attempt needs nothing else ever after.

Plain data are merged, before placeholders are filled in. What comes from a ready plant stands, for problems, at the line of the
scenario that includes it; what is wrong inside the file of a ready plant is told with that file's own lines.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from labsim.document import Document, Key, Position, read_document
from labsim.document.document import read_text
from labsim.errors import InputError, Problem, ScenarioError, did_you_mean
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.flow import FlowSpec, judge_flows
from labsim.scenario.judge import judge_plant, types_of
from labsim.scenario.part import Part, Path_
from labsim.scenario.plant import Crew, PlantDevice
from labsim.text import Text

FOLDER = "plants"
SUFFIX = ".yaml"


class PlantFile(Part):
    """What stands in the file of a ready plant."""

    labsim: Literal[1]
    title: Text
    about: Text | None = None
    plant: Annotated[dict[Path_, PlantDevice], Field(min_length=1)]
    flows: tuple[FlowSpec, ...] = ()
    crew: Crew | None = None


def ready_plants() -> dict[str, Path]:
    """Files of the plants that come with labsim, by name."""
    root = Path(str(importlib.resources.files("scenarios"))) / FOLDER
    return {path.stem: path for path in sorted(root.glob(f"*{SUFFIX}"))}


def plant_name(include: str) -> str:
    """What a ready plant is called in an attempt: its name, or the name of its file."""
    return Path(include).stem if include.endswith(SUFFIX) else include


def find_plant(include: str, folder: Path) -> Path:
    """The file of a ready plant, for a scenario in ``folder``.

    Raises:
        InputError: there is none; says what there is.
    """
    kept = folder / FOLDER / f"{plant_name(include)}{SUFFIX}"
    if kept.is_file():
        return kept
    if include.endswith(SUFFIX):
        if (folder / include).is_file():
            return folder / include
        raise InputError(f"there is no file {include!r} beside the scenario.")
    ours = ready_plants()
    if include in ours:
        return ours[include]
    near = did_you_mean(include, ours) or f"Those that come with labsim: {', '.join(ours)}."
    raise InputError(f"there is no ready plant {include!r}. {near}")


def load_plant(path: Path, catalogue: Catalogue | None) -> PlantFile:
    """A ready plant by itself.

    Raises:
        InputError: the file cannot be read.
        ScenarioError: it has problems.
    """
    document = read_document(path)
    plant = document.validate(PlantFile, document.data)
    if plant is not None:
        _judge(document, catalogue)
    document.done()
    assert plant is not None
    return plant


def included_files(folder: Path, scenario: Path) -> dict[str, bytes]:
    """The ready plants of a scenario as an attempt keeps them, by path below the scenario's folder."""
    try:
        data = read_document(scenario).data
    except (InputError, ScenarioError):
        return {}  # whoever loads it tells
    names = data.get("include") if isinstance(data, dict) else None
    found = {}
    for include in names if isinstance(names, list) else ():
        if isinstance(include, str):
            path = find_plant(include, folder)
            found[f"{FOLDER}/{plant_name(include)}{SUFFIX}"] = read_text(path, str(path)).encode()
    return found


def take_in(source: Document, folder: Path, catalogue: Catalogue | None) -> tuple[list[Problem], bool]:
    """Merge the ready plants of a scenario into its data.

    Args:
        source: The scenario as read; its data and positions grow.
        folder: Where the scenario lies.
        catalogue: What is installed; None judges no types, settings and ports.

    Returns:
        What is wrong with the plants, and whether every one could be taken in, so that the scenario can be judged.
    """
    if not isinstance(source.data, dict) or not isinstance(source.data.get("include"), list):
        return [], True  # nothing, or told by the model
    problems: list[Problem] = []
    whole = True
    merged = _Merge(source)
    names: set[str] = set()
    for index, include in enumerate(source.data["include"]):
        at = source.root.at(("include", index))[0]
        if not isinstance(include, str):
            continue
        try:
            path = find_plant(include, folder)
            plant = read_document(path)
        except ScenarioError as error:
            problems += error.problems
            whole = False
            continue
        except InputError as error:
            source.problem(("include", index), "unknown-include", str(error))
            whole = False
            continue
        if plant_name(include) in names:
            message = f"a ready plant called {plant_name(include)!r} is included already."
            source.problem(("include", index), "bad-include", message, "Rename one of the files.")
            continue
        names.add(plant_name(include))
        if plant.validate(PlantFile, plant.data) is not None:
            _judge(plant, catalogue)
            merged.take(plant.data, at, muted=bool(plant.problems))
        else:
            whole = False
        problems += plant.problems
    merged.finish()
    problems += source.problems
    source.problems.clear()
    return problems, whole


def _judge(plant: Document, catalogue: Catalogue | None) -> None:
    known = set(catalogue.device_types()) if catalogue is not None else set()
    types = types_of(plant)
    judge_plant(plant, types, catalogue, known)
    judge_flows(plant, types, catalogue, known)


class _Merge:
    """Collects what ready plants bring, then puts the scenario's own over it."""

    def __init__(self, source: Document) -> None:
        self.source = source
        self.devices: dict[Key, Any] = {}
        self.flows: list[Any] = []
        self.crew: Any = None
        self.places: dict[Key, Position] = {}
        self.flow_places: list[Position] = []
        self.crew_place: Position | None = None
        self.muted: set[Key] = set()
        self.muted_flows: set[int] = set()

    def take(self, data: dict[str, Any], at: Position, *, muted: bool) -> None:
        """The devices and flows of one ready plant."""
        for name, device in data["plant"].items():
            if name in self.devices:
                message = f"two of the included plants have a device {name!r}."
                self.source.problems.append(Problem(self.source.file, at.line, at.column, "bad-include", message))
                continue
            self.devices[name], self.places[name] = dict(device), _stand(device, at)
            if muted:
                self.muted.add(name)
        for flow in data.get("flows", ()):
            if muted:
                self.muted_flows.add(len(self.flows))
            self.flows.append(flow)
            self.flow_places.append(_stand(flow, at))
        if data.get("crew") is not None:
            self.crew, self.crew_place = data["crew"], _stand(data["crew"], at)

    def finish(self) -> None:
        """Put the scenario's own over what was taken, into its document."""
        source, root = self.source, self.source.root
        if not self.devices:
            return
        own = source.data.get("plant", {})
        if isinstance(own, dict):
            where = root.inside.get("plant") or _stand({}, root.inside["include"])
            for name, device in own.items():
                self._over(name, device, where.inside[name])
            where.inside = self.places
            source.data["plant"], root.inside["plant"] = self.devices, where
        flows = source.data.get("flows", [])
        if isinstance(flows, list) and self.flows:
            where = root.inside.get("flows") or _stand([], root.inside["include"])
            ends = [_ends(flow) for flow in flows]
            kept = [n for n, flow in enumerate(self.flows) if _ends(flow) not in ends]
            places = [self.flow_places[n] for n in kept] + [where.inside[n] for n in range(len(flows))]
            where.inside = dict(enumerate(places))
            source.data["flows"], root.inside["flows"] = [*(self.flows[n] for n in kept), *flows], where
            source.muted |= {("flows", place) for place, n in enumerate(kept) if n in self.muted_flows}
        if "crew" not in source.data and self.crew_place is not None:
            source.data["crew"], root.inside["crew"] = self.crew, self.crew_place
        source.muted |= {("plant", name) for name in self.muted}

    def _over(self, name: Key, device: Any, place: Position) -> None:
        """A device of the scenario: a new one, or changes to one that was taken in."""
        if name not in self.devices or not isinstance(device, dict):
            self.devices[name], self.places[name] = device, place
            self.muted.discard(name)
            return
        below = self.devices[name]
        if "type" in device and device["type"] != below.get("type"):
            message = f"the included plant has {name} as a {below.get('type')}."
            self.source.problem(("plant", name, "type"), "bad-include", message, "Give the new device another name.")
        together = {**below, **device, "type": below.get("type", device.get("type"))}
        inside = {**self.places[name].inside, **place.inside}
        inside["type"] = self.places[name].inside.get("type", place)
        if isinstance(below.get("settings"), dict) and isinstance(device.get("settings"), dict):
            together["settings"] = {**below["settings"], **device["settings"]}
            settings = place.inside["settings"]
            settings.inside = {**self.places[name].inside["settings"].inside, **settings.inside}
            inside["settings"] = settings
        place.inside = inside
        self.devices[name], self.places[name] = together, place


def _ends(flow: Any) -> tuple[Any, Any] | None:
    return (flow.get("from"), flow.get("to")) if isinstance(flow, dict) else None


def _stand(data: Any, at: Position) -> Position:
    """Positions for data that came from elsewhere: all of it stands where it was included."""
    items: Iterable[tuple[Key, Any]] = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, (list, tuple)) else ()
    )
    inside = {key: _stand(item, at) for key, item in items}
    return Position(at.line, at.column, at.line, at.column, inside=inside)
