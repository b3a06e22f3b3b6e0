"""The links of a lab's endpoints: what impairs them, until when, kept in evidence. See ``docs/links.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labsim.endpoints.endpoint import Guard
from labsim.endpoints.link.impairment import Impairment
from labsim.endpoints.link.link import Link
from labsim.errors import UnknownNameError
from labsim.evidence.event import Record
from labsim.scenario.link import LinkSettings, link_names
from labsim.scenario.model import EndpointSpec

PREFIX = "link."
_PARAMETERS = {info.alias or name for name, info in LinkSettings.model_fields.items()} - {"state"}


class Note(Protocol):
    """Keeps an event of the lab itself."""

    def __call__(self, kind: str, **fields: Any) -> None:
        """Keep it; raises EvidenceError when that cannot be done."""
        ...


@dataclass(slots=True, eq=False)
class _Running:
    """One impairment in force."""

    number: int
    target: str
    link: Link
    impairment: Impairment
    until_ns: int | None
    hidden: bool


class Links:
    """One link per endpoint, in the order of the scenario.

    Args:
        endpoints: The scenario's endpoints.
        seed: What jitter is drawn from, with the link's name.
        speed: Plant seconds per wall second.
        note: Keeps the events.
    """

    def __init__(self, endpoints: Sequence[EndpointSpec], *, seed: str, speed: float, note: Note) -> None:
        self._names = link_names([(endpoint.protocol, endpoint.spec.port) for endpoint in endpoints])
        self._links = [Link(seed=f"{seed} link {number}", speed=speed) for number in range(len(endpoints))]
        self._note = note
        self._running: list[_Running] = []
        self._last = 0

    @property
    def guards(self) -> list[Guard]:
        """What each endpoint's listeners put their connections behind."""
        return [link.guard for link in self._links]

    @property
    def targets(self) -> list[str]:
        """Names of all links, as ``labsim fault`` takes them."""
        return [PREFIX + name for name in self._names]

    def begin(self, name: str, settings: LinkSettings, now_ns: int, *, hidden: bool, by: str) -> None:
        """Put a link into a state, for as long as ``settings`` say.

        Args:
            name: The endpoint's name, such as ``modbus`` or ``modbus.2``.
            settings: The state and its parameters.
            now_ns: Plant time.
            hidden: The trainee is not told.
            by: ``timeline`` or ``instructor``.

        Raises:
            UnknownNameError: there is no such endpoint.
            EvidenceError: it could not be kept; nothing has changed then.
        """
        link = self._link(name)
        assert settings.state is not None, "the model has seen to it"
        impairment = Impairment(settings.state, **settings.values())
        lasting = settings.lasting
        if settings.state == "reset" and lasting is None:
            lasting = 0.0
        until_ns = None if lasting is None else now_ns + round(lasting * 1e9)
        self._last += 1
        running = _Running(self._last, PREFIX + name, link, impairment, until_ns, hidden)
        more: dict[str, Any] = {} if lasting is None else {"for": lasting}
        self._tell(running, "begin", by, **impairment.facts(), **more)
        self._running.append(running)
        link.begin(impairment)
        self.tick(now_ns)

    def clear(self, name: str, *, by: str) -> int:
        """End every state that a link is in; how many there were."""
        link = self._link(name)
        found = [running for running in self._running if running.link is link]
        for running in found:
            self._end(running, by)
        return len(found)

    def tick(self, now_ns: int) -> None:
        """End what is over at plant time ``now_ns``."""
        for running in list(self._running):
            if running.until_ns is not None and running.until_ns <= now_ns:
                self._end(running, "timeline")

    def restore(self, records: Iterable[Record]) -> None:
        """Put the links into the states they were in when an earlier host of the attempt died; they stand in the journal."""
        begun: dict[int, Record] = {}
        for record in records:
            if record.kind == "fault" and record.subject.startswith(PREFIX):
                number = int(record.detail["number"])
                self._last = max(self._last, number)
                if record.detail["phase"] == "begin":
                    begun[number] = record
                else:
                    begun.pop(number, None)
        for number, record in begun.items():
            detail = record.detail
            given = {name: value for name, value in detail.items() if name in _PARAMETERS}
            state = str(detail["fault"]).removeprefix(PREFIX)
            settings = LinkSettings.model_validate({"state": state, **given})
            assert settings.state is not None, "it was given"
            impairment = Impairment(settings.state, **settings.values())
            link = self._link(record.subject.removeprefix(PREFIX))
            until_ns = None if settings.lasting is None else record.t + round(settings.lasting * 1e9)
            self._running.append(
                _Running(number, record.subject, link, impairment, until_ns, bool(detail.get("hidden")))
            )
            link.begin(impairment)

    def shut(self) -> None:
        """Make every link good at once, because the endpoints are about to close."""
        self._running.clear()
        for link in self._links:
            link.shut()

    def _link(self, name: str) -> Link:
        if name not in self._names:
            raise UnknownNameError("link", PREFIX + name, self.targets)
        return self._links[self._names[name]]

    def _end(self, running: _Running, by: str) -> None:
        self._tell(running, "end", by)
        self._running.remove(running)
        running.link.end(running.impairment)

    def _tell(self, running: _Running, phase: str, by: str, **facts: Any) -> None:
        detail: dict[str, Any] = {"fault": PREFIX + running.impairment.state, "phase": phase, "number": running.number}
        if running.hidden:
            detail["hidden"] = True
        self._note("fault", subject=running.target, detail=detail | {"by": by} | facts)
