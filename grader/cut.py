"""Evidence as it was at an earlier moment, or of a stretch of time alone: the same attempt with less in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Set
from functools import cached_property

from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence, Kind
from labsim.evidence.rows import Rows


class Part(Evidence):
    """A choice of an attempt's records, made once for each question; the rest is that of the whole.

    Args:
        whole: The attempt.
    """

    def __init__(self, whole: Evidence) -> None:
        self.whole = whole
        self.folder, self.manifest, self.tags = whole.folder, whole.manifest, whole.tags
        self.history, self.head = whole.history, whole.head
        self._kept: dict[tuple[str | None, Kind, str | None], Rows] = {}

    def of(self, protocol: str | None = None, kind: Kind = None, device: str | None = None) -> Rows:
        """Records that are in it; see `Evidence.of`."""
        key = (protocol, kind, device)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Rows(self._chosen(protocol, self.whole.of(protocol, kind, device)))
        return found

    def _chosen(self, protocol: str | None, rows: Rows) -> list[Record]:
        raise NotImplementedError


class Cut(Part):
    """A part of an attempt; everything that is asked of it is asked of the whole, and cut.

    What was handed in and answered before the stretch still stands in it; what clients did before it does not.

    Args:
        whole: The attempt.
        seq: Number of the last record that is in it.
        start_ns: Plant time at which it begins.
        end_ns: Plant time at which it ends.
    """

    def __init__(
        self, whole: Evidence, *, seq: int | None = None, start_ns: int = 0, end_ns: int | None = None
    ) -> None:
        super().__init__(whole)
        every = whole.of()
        self._until = len(every) if seq is None else bisect_right(every, seq, key=_seq)
        if end_ns is not None:
            self._until = min(self._until, bisect_right(every, end_ns, key=_time))
        self._since = min(bisect_left(every, start_ns, key=_time), self._until)
        self._first = every[self._since].seq if self._since < len(every) else _BEYOND
        self._last = every[self._until - 1].seq if self._until else 0
        self.start_ns = start_ns
        self._end = whole.end_ns if seq is None else every[self._until - 1].t if self._until else 0
        if end_ns is not None:
            self._end = min(end_ns, whole.end_ns)
        self.records = self.of()

    def _chosen(self, protocol: str | None, rows: Rows) -> list[Record]:
        """Records of the stretch, and those of the lab before it."""
        end = bisect_right(rows, self._last, key=_seq)
        start = bisect_left(rows, self._first, 0, end, key=_seq)
        before = [] if protocol not in (None, "lab") else [r for r in rows[:start] if r.protocol == "lab"]
        return [*before, *rows[start:end]]

    @property
    def end_ns(self) -> int:
        """Plant time at which the stretch ends."""
        return self._end


_BEYOND = 2**62


def _seq(record: Record) -> int:
    return record.seq


def _time(record: Record) -> int:
    return record.t


def checkpoints(evidence: Evidence) -> Iterator[int]:
    """The last record of each time somebody had the attempt checked: the check itself and the files it took in."""
    records = evidence.of()
    for record in evidence.of("lab", "check"):
        index = bisect_left(records, record.seq, key=_seq)
        while index + 1 < len(records) and (records[index + 1].protocol, records[index + 1].kind) == ("lab", "file"):
            index += 1
        yield records[index].seq


def whole_of(evidence: Evidence) -> Evidence:
    """The whole attempt that evidence is a part of: with what the lab's own clients did, and to its end."""
    while isinstance(evidence, Part):
        evidence = evidence.whole
    return evidence


def until_end(evidence: Evidence) -> Evidence:
    """A part of an attempt with all that was before it: for what rests on how things stood when the part began."""
    if isinstance(evidence, AtServer):
        return AtServer(until_end(evidence.whole), evidence.server)
    return Cut(evidence.whole, end_ns=evidence.end_ns) if isinstance(evidence, Cut) and evidence.start_ns else evidence


class Without(Part):
    """An attempt without some of its records.

    Args:
        whole: The attempt.
        left_out: Numbers of the records that are not in it.
    """

    def __init__(self, whole: Evidence, left_out: Set[int]) -> None:
        super().__init__(whole)
        self._left_out, self.start_ns = left_out, whole.start_ns
        self.records = self.of()

    def _chosen(self, protocol: str | None, rows: Rows) -> list[Record]:
        """Records that are in it; those of the lab all are."""
        return rows if protocol == "lab" else [r for r in rows if r.seq not in self._left_out]

    @property
    def end_ns(self) -> int:
        """Plant time at which the attempt ends."""
        return self.whole.end_ns


class AtServer(Part):
    """An attempt without what was done at other OPC UA servers; the other protocols and the lab are all in it.

    A session says at which server it is; what was refused before there was one says it itself.

    Args:
        whole: The attempt, or a part of it; a session may have begun before that part.
        server: The server, by the name of its endpoint in the scenario.
    """

    def __init__(self, whole: Evidence, server: str) -> None:
        super().__init__(whole)
        self.server, self.start_ns = server, whole.start_ns
        self.records = self.of()

    def _chosen(self, protocol: str | None, rows: Rows) -> list[Record]:
        if protocol not in (None, "opcua"):
            return rows
        return [r for r in rows if r.protocol != "opcua" or r.session in self._sessions or self._names(r)]

    @cached_property
    def _sessions(self) -> set[str]:
        return {r.session for r in whole_of(self).of("opcua", "session") if self._names(r)}

    def _names(self, record: Record) -> bool:
        return record.detail.get("server") == self.server

    @property
    def end_ns(self) -> int:
        """Plant time at which the attempt, or the part of it, ends."""
        return self.whole.end_ns
