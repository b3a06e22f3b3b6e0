"""What a scenario lets happen: settings that change, faults, links that fail; by the clock or by a condition, all or some drawn.

An author writes a fault's parameters beside what belongs to every entry::

    - {at: 5 min, device: oven1, tag: zone1_temperature, fault: drift, rate: 0.5, for: 10 min, hidden: true}

The model has them in ``params``; `to_entries` brings the one form into the other.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from labsim.document import Document, Key, KeyPath, Position
from labsim.quantity import Duration
from labsim.scenario.link import LinkSettings
from labsim.scenario.part import Part, Path_

FAULT_KEYS = ("at", "when", "device", "tag", "endpoint", "rogue", "fault", "for", "hidden")
"""Keys of an entry with a fault that are not parameters of it."""


class Trigger(Part):
    """A condition of the plant: the true value of a tag is above, below or equal to a number; once is enough.

    Attributes:
        tag: The tag whose true value is looked at.
        above: It holds while the value is above this.
        below: It holds while the value is below this.
        equals: It holds while the value is this.
        lasting: ``for``: how long it has to hold without a break.
    """

    tag: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", examples=["mill1.parts_good"])]
    above: float | None = None
    below: float | None = None
    equals: bool | float | None = None
    lasting: Duration = Field(0.0, alias="for")

    @model_validator(mode="after")
    def _one(self) -> Trigger:
        if sum(limit is not None for limit in (self.above, self.below, self.equals)) != 1:
            raise ValueError("a condition is one of 'above', 'below' and 'equals'")
        return self

    def holds(self, value: float) -> bool:
        """Whether the value is so."""
        if self.above is not None:
            return value > self.above
        return value < self.below if self.below is not None else value == self.equals


class TimelineEntry(LinkSettings):
    """Something that happens ``at`` a plant time, or from then on (from the start by default) as soon as ``when`` holds.

    A setting of a ``device`` changes (``setting``, ``value``); a ``fault`` of a ``device``, of a ``tag`` of it, of an
    ``endpoint`` or by a ``rogue`` client begins, with its parameters; or a ``link`` goes into a ``state``. Or ``draw`` of the
    entries ``of`` a list happen, drawn per seat.

    Attributes:
        at: Plant time at which it happens; the start by default.
        when: A condition of the plant, as soon as which holds (from ``at`` on) it happens.
        device: The device it is about.
        tag: The tag of the device that a fault is about.
        link: The link of an endpoint that goes into a ``state``, such as ``modbus``.
        endpoint: The endpoint that a fault is about, such as ``opcua``.
        rogue: The endpoint that a rogue client comes to, such as ``modbus``; the fault is what it does there.
        setting: The setting of the device that changes.
        value: What it becomes.
        fault: The fault that begins (see docs/faults.md); its parameters stand beside it.
        hidden: Whether the trainee is told nothing of it.
        draw: How many of the entries ``of`` happen, drawn per seat.
        of: The entries that ``draw`` draws from.
        params: Parameters of the fault, as given.
    """

    at: Duration | None = None
    when: Trigger | None = None
    device: Path_ | None = None
    tag: Path_ | None = None
    link: str | None = None
    endpoint: str | None = None
    rogue: str | None = None
    setting: str | None = None
    value: Any = None
    fault: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    hidden: bool = False
    draw: Annotated[int, Field(ge=0, strict=True)] | None = None
    of: tuple[TimelineEntry, ...] = ()

    @property
    def target(self) -> str:
        """What a fault is of, as ``labsim fault`` names it."""
        if self.device is not None:
            return f"{self.device}.{self.tag}" if self.tag is not None else self.device
        return next(
            (f"{kind}.{name}" for kind in ("link", "endpoint", "rogue") if (name := getattr(self, kind)) is not None),
            "",
        )

    @model_validator(mode="after")
    def _one(self) -> TimelineEntry:
        if self.draw is not None or self.of:
            return self._drawn()
        if self.at is None and self.when is None:
            raise ValueError("a timeline entry has a time or a condition: give 'at' or 'when'")
        if sum(name is not None for name in (self.device, self.link, self.endpoint, self.rogue)) != 1:
            raise ValueError(
                "a timeline entry is about a device or a link: give 'device', 'link', 'endpoint' or 'rogue'"
            )
        if self.link is not None:
            if self.state is None or self.setting is not None or self.fault is not None or self.tag is not None:
                raise ValueError("an entry about a link has a 'state', and no 'setting' or 'fault'")
            return self
        if self.state is not None or self.values():
            raise ValueError("'state' and its parameters belong to an entry with 'link'")
        if (self.setting is None) == (self.fault is None):
            raise ValueError("a timeline entry changes a setting or begins a fault: give 'setting' or 'fault'")
        if (self.setting is not None) != ("value" in self.model_fields_set):
            raise ValueError("'setting' and 'value' belong together")
        if self.device is None and (self.setting is not None or self.tag is not None):
            raise ValueError("'setting' and 'tag' belong to an entry with 'device'")
        if self.setting is not None and (self.tag is not None or self.lasting is not None):
            raise ValueError("an entry with 'setting' has no 'tag' and no 'for'")
        return self

    def _drawn(self) -> TimelineEntry:
        if self.draw is None or not self.of or self.model_fields_set - {"draw", "of", "hidden"}:
            raise ValueError("'draw' says how many of the entries 'of' a list happen; beside them is 'hidden' at most")
        if self.draw > len(self.of):
            raise ValueError(f"there are only {len(self.of)} entries to draw {self.draw} of")
        if any(entry.of for entry in self.of):
            raise ValueError("a list of entries to draw from holds no further 'draw'")
        return self


def all_entries(timeline: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Every entry that may happen at some seat."""
    return [inner for entry in timeline for inner in (entry.of or (entry,))]


def drawn_entries(timeline: Sequence[TimelineEntry], seed: str, scenario: str) -> dict[int, TimelineEntry]:
    """The entries that happen at one seat, by their number in `all_entries`.

    The rule: those of a list are ordered by ``HMAC-SHA256(key = seed, message = scenario id + "|timeline|" + number)``, and the
    first are taken, so that any language can recompute it.
    """
    found: dict[int, TimelineEntry] = {}
    number = 0
    for entry in timeline:
        if entry.draw is None:
            found[number] = entry
            number += 1
            continue
        numbers = range(number, number + len(entry.of))
        ranked = sorted(numbers, key=lambda one: _rank(seed, f"{scenario}|timeline|{one}"))
        for one in sorted(ranked[: entry.draw]):
            inner = entry.of[one - number]
            found[one] = inner.model_copy(update={"hidden": True}) if entry.hidden else inner
        number += len(entry.of)
    return found


def _rank(seed: str, message: str) -> bytes:
    return hmac.digest(seed.encode("utf-8", "surrogatepass"), message.encode(), "sha256")


def to_entries(document: Document) -> None:
    """Move the parameters of the faults of a document, whose containers are its own, into ``params``."""
    for path, _ in [*document.each("timeline", "*"), *document.each("timeline", "*", "of", "*")]:
        _rewrite(document, path)


def _rewrite(document: Document, path: KeyPath) -> None:
    entry, place = document.data, document.root
    for key in path:
        entry, place = entry[key], place.inside[key]
    if not isinstance(entry, dict) or not isinstance(entry.get("fault"), str):
        return
    names = [name for name in entry if name not in FAULT_KEYS]
    entry["params"] = {str(name): entry[name] for name in names}
    inside: dict[Key, Position] = {str(name): place.inside[name] for name in names}
    place.inside["params"] = Position(place.line, place.column, inside=inside)
    for name in names:
        del entry[name], place.inside[name]
        for muted in [found for found in document.muted if found[: len(path) + 1] == (*path, name)]:
            document.muted.add((*path, "params", *muted[len(path) :]))


def judged_entries(document: Document) -> list[tuple[KeyPath, dict[Any, Any]]]:
    """KeyPath and data of every entry of a document in the model's form, also of those to draw from."""
    found = [*document.each("timeline", "*"), *document.each("timeline", "*", "of", "*")]
    return [(path, entry) for path, entry in found if isinstance(entry, dict)]
