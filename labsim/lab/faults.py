"""What goes wrong in a running lab, wherever it does: begun by timeline, condition or instructor, ended in time, in evidence.

They happen in layers (`labsim.lab.fault_layer`); numbers, duration, secrecy, the journal and a restart are here and the same for
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labsim.errors import InputError, UnknownNameError
from labsim.evidence.event import Record
from labsim.lab.fault_layer import Layer, PlantFaults
from labsim.lab.note import Note
from labsim.plant.plant import Plant
from labsim.quantity import parse_duration
from labsim.scenario.timeline import TimelineEntry

GOOD = "good"
"""What an instructor writes to end every fault of a target."""
_GENERAL = ("for", "hidden")


@dataclass(slots=True, eq=False)
class _Running:
    """One fault in force."""

    number: int
    layer: Layer
    target: str
    fault: str
    until_ns: int | None
    hidden: bool


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry of the timeline that has not happened yet, and since when its condition holds."""

    number: int
    entry: TimelineEntry
    since_ns: int | None = None


class LabFaults:
    """The faults of one lab.

    Args:
        plant: The plant.
        layers: Where faults happen beside the plant.
        entries: The timeline of this seat, by number.
        configure: Changes a setting: device, setting, value, number of the entry.
        note: Keeps the events.

    Raises:
        InputError: an entry of the timeline cannot happen as the lab is set up.
    """

    def __init__(
        self,
        plant: Plant,
        layers: Sequence[Layer],
        entries: Mapping[int, TimelineEntry],
        configure: Callable[[str, str, Any, int], None],
        note: Note,
    ) -> None:
        self._plant, self._note, self._configure = plant, note, configure
        self._layers: list[Layer] = [*layers, PlantFaults(plant)]
        waiting = [_Waiting(number, entry) for number, entry in entries.items()]
        self._timed = sorted((one for one in waiting if one.entry.when is None), key=lambda one: one.entry.at or 0.0)
        self._conditional = [one for one in waiting if one.entry.when is not None]
        self._running: list[_Running] = []
        self._last = 0
        for entry in entries.values():
            if entry.fault is not None:  # what cannot be is told before the lab runs
                self._layer(entry.target).parse(entry.target, entry.fault, entry.params)

    # ---- by the clock ----

    def tick(self, now_ns: int) -> None:
        """End what is over and begin what is due, before the step that begins at plant time ``now_ns``."""
        for running in [one for one in self._running if one.until_ns is not None and one.until_ns <= now_ns]:
            self._end(running, "timeline")
        while self._timed and (self._timed[0].entry.at or 0.0) * 1e9 <= now_ns:
            self._happen(self._timed.pop(0), now_ns, "timeline")
        for waiting in list(self._conditional):
            if self._is_due(waiting, now_ns):
                self._conditional.remove(waiting)
                self._happen(waiting, now_ns, "condition")

    def _is_due(self, waiting: _Waiting, now_ns: int) -> bool:
        entry, store = waiting.entry, self._plant.store
        assert entry.when is not None, "it is one with a condition"
        held = (entry.at or 0.0) * 1e9 <= now_ns and entry.when.holds(float(store.truth(store[entry.when.tag].row)))
        if not held:
            waiting.since_ns = None
            return False
        if waiting.since_ns is None:
            waiting.since_ns = now_ns
        return now_ns - waiting.since_ns >= round(entry.when.lasting * 1e9)

    def _happen(self, waiting: _Waiting, now_ns: int, by: str) -> None:
        entry = waiting.entry
        if entry.setting is not None and entry.device is not None:
            self._configure(entry.device, entry.setting, entry.value, waiting.number)
            return
        given = dict(entry.params) if entry.link is None else entry.values()
        if entry.lasting is not None:
            given["for"] = entry.lasting
        name = (entry.fault if entry.link is None else entry.state) or ""
        self.begin(entry.target, name, given, now_ns, hidden=entry.hidden, by=by, entry=waiting.number)

    # ---- by anybody ----

    @property
    def targets(self) -> list[str]:
        """What may fail."""
        return [target for layer in self._layers for target in layer.targets]

    def table(self, target: str, lang: str) -> list[dict[str, Any]]:
        """What may happen to a target, as the control API shows it.

        Raises:
            UnknownNameError: there is no such target.
        """
        return [
            {
                "fault": name,
                "title": spec.title.say(lang),
                "about": spec.about.say(lang) if spec.about else "",
                "catalogue": spec.catalogue,
                "parameters": {
                    key: one.model_dump(exclude={"title"}, exclude_none=True) | {"title": one.title.say(lang)}
                    for key, one in spec.parameters.items()
                },
            }
            for name, spec in self._layer(target).faults(target).items()
        ]

    def begin(
        self,
        target: str,
        fault: str,
        given: Mapping[str, Any],
        now_ns: int,
        *,
        hidden: bool,
        by: str,
        entry: int | None = None,
    ) -> None:
        """Let something fail.

        Args:
            target: ``device``, ``device.tag``, ``link.modbus``, ``endpoint.opcua``.
            fault: What happens.
            given: Its parameters, and ``for``: how long, in plant time; until the end of the lab when it is not given.
            now_ns: Plant time.
            hidden: The trainee is not told.
            by: ``timeline``, ``condition`` or ``instructor``.
            entry: Number of the entry of the timeline.

        Raises:
            UnknownNameError: there is no such target, fault or parameter.
            InputError: a value that a parameter does not take.
            EvidenceError: it could not be kept; nothing has changed then.
        """
        layer = self._layer(target)
        own = {name: value for name, value in given.items() if name not in _GENERAL}
        parameters = layer.parse(target, fault, own)
        if "for" in given:
            try:
                parameters["for"] = parse_duration(given["for"])
            except ValueError as error:
                raise InputError(f"for: {error}.") from None
        lasting = parameters.get("for")
        self._last += 1
        running = _Running(
            self._last, layer, target, fault, None if lasting is None else now_ns + round(lasting * 1e9), hidden
        )
        about = {} if entry is None else {"entry": entry}
        facts = {} if lasting is None else {"for": parameters.pop("for")}
        if layer.prefix == "link.":
            facts |= parameters  # flat, as docs/links.md has it
        elif parameters:
            facts["parameters"] = parameters
        self._tell(running, "begin", by, layer.tags(target, fault, parameters), **facts, **about)
        self._running.append(running)
        layer.begin(running.number, target, fault, parameters)
        if lasting == 0:
            self._end(running, by)

    def clear(self, target: str, *, by: str) -> int:
        """End every fault of a target; how many there were."""
        layer = self._layer(target)
        place = layer.place(target)
        found = [one for one in self._running if one.layer is layer and layer.place(one.target) == place]
        for running in found:
            self._end(running, by)
        return len(found)

    def restore(self, records: Iterable[Record]) -> None:
        """Go on where an earlier host of the attempt died: its faults stand in the journal.

        What is wrong with the plant itself was done again with the other inputs by then.
        """
        begun: dict[int, Record] = {}
        happened: set[int] = set()
        for record in records:
            if "entry" in record.detail:
                happened.add(int(record.detail["entry"]))
            if record.kind == "fault":
                number = int(record.detail["number"])
                self._last = max(self._last, number)
                if record.detail["phase"] == "begin":
                    begun[number] = record
                else:
                    begun.pop(number, None)
        for number, record in begun.items():
            self._restore(number, record)
        self._timed = [one for one in self._timed if one.number not in happened]
        self._conditional = [one for one in self._conditional if one.number not in happened]

    def _restore(self, number: int, record: Record) -> None:
        layer, (name, parameters) = self._layer(record.subject), fault_of(record)
        lasting = record.detail.get("for")
        until_ns = None if lasting is None else record.t + round(float(lasting) * 1e9)
        hidden = bool(record.detail.get("hidden"))
        self._running.append(_Running(number, layer, record.subject, name, until_ns, hidden))
        if layer.prefix:
            layer.begin(number, record.subject, name, parameters)

    def _layer(self, target: str) -> Layer:
        for layer in self._layers:
            if layer.prefix and target.startswith(layer.prefix) and target in layer.targets:
                return layer
        if target not in self._layers[-1].targets:
            raise UnknownNameError("target of faults", target, [one for layer in self._layers for one in layer.targets])
        return self._layers[-1]

    def _end(self, running: _Running, by: str) -> None:
        self._tell(running, "end", by)
        self._running.remove(running)
        running.layer.end(running.number)

    def _tell(self, running: _Running, phase: str, by: str, tags: Sequence[str] = (), **facts: Any) -> None:
        fault = f"{running.layer.prefix}{running.fault}"
        detail: dict[str, Any] = {"fault": fault, "phase": phase, "number": running.number}
        if running.hidden:
            detail["hidden"] = True
        self._note("fault", subject=running.target, tags=list(tags), detail=detail | {"by": by} | facts)


_ABOUT = ("fault", "phase", "number", "hidden", "by", "for", "entry")


def fault_of(record: Record) -> tuple[str, dict[str, Any]]:
    """Name and parameters of the fault whose beginning a record tells."""
    detail = record.detail
    name = str(detail["fault"])
    if not name.startswith("link."):
        return name.partition(".")[2] or name, dict(detail.get("parameters", {}))
    return name.removeprefix("link."), {key: value for key, value in detail.items() if key not in _ABOUT}
