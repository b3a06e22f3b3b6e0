"""What clients of an attempt were told of a tag: the values of reads, and the stretch in which it was subscribed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from grader.truth import Truth, Value, as_value, matches
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance


class Readings:
    """One tag as clients saw it. A subscription counts from its first item to the end of the attempt."""

    def __init__(self, evidence: Evidence, path: str) -> None:
        reads = [
            r
            for protocol in ("modbus", "opcua")
            for r in evidence.of(protocol, "read")
            if path in r.tags and (protocol == "opcua" or r.status == 0)
        ]
        self.records = sorted(reads, key=lambda r: r.seq)
        self._tag = evidence.tags[path]
        self._values: dict[Value, None] = {}
        for record in self.records:
            index = record.tags.index(path)
            # The value that left is in the record itself, exact even when it changed within a step.
            value = as_value(record.values[index], self._tag) if index < len(record.values) else None
            if value is not None:
                self._values.pop(value, None)
                self._values[value] = None  # each once, latest last
        watched = [r for r in evidence.of("opcua", "subscribe") if path in r.tags and r.status == 0]
        self._since = min((r.t for r in watched), default=None)
        self._evidence = evidence

    @property
    def any(self) -> bool:
        """Whether a client saw the tag at all."""
        return bool(self._values) or self._since is not None

    def saw(self, got: Value, tolerance: Tolerance) -> bool:
        """Whether ``got`` is a value that a client was given."""
        if any(matches(got, value, tolerance) for value in self._values):
            return True
        if self._since is None:
            return False
        return (
            self._watched.latest_match(got, self._watched.end, self._watched.end - self._since, tolerance) is not None
        )

    @cached_property
    def _watched(self) -> Truth:
        return Truth(self._evidence, self._tag.path, self._since or 0)

    def numbers(self) -> Iterator[float]:
        """The numbers among the values that were read, latest first."""
        return (value for value in reversed(self._values) if isinstance(value, float))
