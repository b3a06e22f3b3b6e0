"""Which reads the checks of a scenario look at one by one, so that those are never merely counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.check import Check
from grader.checks import load
from grader.graded import graded_tags
from labsim.evidence.event import Event
from labsim.scenario.fields import named_parts, nested_checks
from labsim.scenario.model import CheckSpec, Penalty, Scenario

_ANY = "*"


@dataclass(frozen=True, slots=True)
class Watched:
    """Reads that must each be in the journal.

    Attributes:
        tags: Every read of one of these, over whatever protocol.
        devices: Every read that touches one of these, by protocol and device; ``*`` for either stands for all.
    """

    tags: frozenset[str]
    devices: frozenset[tuple[str, str]]

    def needs(self, read: Event) -> bool:
        """Whether every single read like this one has to be kept."""
        touched = {_ANY, read.device, *(tag.partition(".")[0] for tag in read.tags)}
        return not self.tags.isdisjoint(read.tags) or any(
            (protocol, device) in self.devices for protocol in (read.protocol, _ANY) for device in touched
        )


def watched_reads(scenario: Scenario) -> Watched:
    """The reads that the checks and penalties of a scenario need, as their classes say (`Check.reads`)."""
    specs: list[CheckSpec | Penalty] = [check for task in scenario.tasks for check in task.checks]
    specs += scenario.penalties
    return Watched(
        frozenset(graded_tags(scenario)),
        frozenset(pair for spec in specs for pair in _devices(spec.check, spec.params)),
    )


def _devices(name: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Protocol and device of the reads that a check counts: of the devices it names, of all when it names none."""
    check: type[Check[Any]] = load(name)
    if check.reads == "all":
        yield _ANY, _ANY
    elif check.reads == "devices":
        named = {value.partition(".")[0] for _, _, value in named_parts(check.Params, params)}
        yield from ((name.partition(".")[0], device) for device in named or {_ANY})
    for _, inner, given in nested_checks(check.Params, params):
        yield from _devices(inner, given)
