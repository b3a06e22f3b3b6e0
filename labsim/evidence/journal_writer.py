"""The writer of a journal: each event is on disk before the client hears of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import chain
from labsim.evidence.disk import AppendFile, cut_back, epoch_name
from labsim.evidence.encoding import encode
from labsim.evidence.event import Entry, Event, Record
from labsim.evidence.journal import FOLDER, SUFFIX, Epoch, decode_line, read_epochs

_TAIL_KEPT = 1024
_JUMP_NS = 2_000_000_000
"""How far the wall clock may move against the monotonic one between two events before it is an incident."""
_State = tuple[int, int, int, bytes]
"""Where the chain stands: end of this epoch's file in bytes, number and plant time of the last record, its hash. Replaced as
a whole, so that no exception can leave half of it."""


class JournalWriter:
    """Opens the next epoch of an attempt's journal and appends events to it; may be called from any thread.

    What an earlier epoch left half written is cut away, after the new epoch has said so in an ``incident``. The caller
    holds the folder's lock; the epoch itself is claimed by exclusive creation.

    Args:
        folder: The attempt folder; it has a ``manifest.json``.
        clock_t: Simulated nanoseconds now. A clock that lags behind the journal is lifted to its last ``t``.

    Attributes:
        epoch: Number of the epoch, from 1.
        superseded: Another host was seen to have opened a later one.

    Raises:
        AttemptError: the journal is damaged, or another host claimed the epoch.
        EvidenceError: the disk takes nothing.
    """

    def __init__(self, folder: Path, clock_t: Callable[[], int]) -> None:
        self._clock_t = clock_t
        self._lock = threading.Lock()
        self._refused, self._refusal, self._refused_ns, self._closed = 0, "", 0, False
        self._skew = time.time_ns() - time.monotonic_ns()
        epochs = read_epochs(folder)
        self._state = _recover(folder, epochs)
        self.epoch = epochs[-1].number + 1 if epochs else 1
        (folder / FOLDER).mkdir(exist_ok=True)
        path = folder / FOLDER / epoch_name(self.epoch, SUFFIX)
        self._next, self.superseded = path.with_name(epoch_name(self.epoch + 1, SUFFIX)), False
        try:
            self._file = AppendFile(path)
        except FileExistsError as error:
            raise AttemptError(f"{path} was just claimed by another lab: stop one of the two.") from error
        try:
            for torn in (epoch for epoch in epochs if epoch.torn):
                # First the word, then the deed: a crash in between only repeats it.
                self.append(_torn_incident(torn, folder))
                cut_back(torn.path, len(torn.data))
        except EvidenceError:
            self._file.close()
            raise

    def demand_latest(self) -> None:
        """Make sure that no other host has taken the attempt over since.

        Raises:
            EvidenceError: one has; this journal takes nothing more.
        """
        if self.superseded or self._next.exists():
            self.superseded = True
            raise EvidenceError(
                f"{self._next} was opened by another host, which has taken this attempt over: this one stops."
            )

    @property
    def head(self) -> str:
        """The last hash, in hex."""
        return self._state[3].hex()

    @property
    def last(self) -> tuple[int, int, str]:
        """Number, plant time and hash in hex of the last event, all of the same one."""
        _, seq, t, head = self._state
        return seq, t, head.hex()

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return self._state[1]

    @property
    def t(self) -> int:
        """Simulated nanoseconds of the last event; 0 before the first."""
        return self._state[2]

    def append(self, event: Event) -> Record:
        """Keep one event, as `write` does, and give it as every reader will see it.

        Raises:
            EvidenceError: it is not kept, and nothing of it is in the journal.
        """
        return decode_line(self.write(event), "the journal")

    def write(self, event: Event) -> bytes:
        """Keep one event and give its line, as `write_all` does.

        Raises:
            EvidenceError: it is not kept, and nothing of it is in the journal.
        """
        return self.write_all((event,))[0]

    def write_all(self, entries: Sequence[Entry]) -> list[bytes]:
        """Keep events in one write and give their lines: when this returns, they survive the end of the process.

        They came together, so they have the same times. After a failure the next event that can be kept is preceded by an
        ``incident`` that counts the lost ones; their senders never got an answer. So is one before which the wall clock was
        set, or stood while the machine slept.

        Raises:
            EvidenceError: none is kept, and nothing of them is in the journal.
        """
        with self._lock:
            try:
                if self._refused:
                    self._tell_refused()
                return self._write(entries)
            except EvidenceError as error:
                self._refused, self._refusal = self._refused + len(entries), str(error)
                self._refused_ns = self._refused_ns or time.time_ns()
                raise

    def _write(self, entries: Sequence[Entry]) -> list[bytes]:
        end, seq, last, head = self._state
        t, w, m = self._clock_t(), time.time_ns(), time.monotonic_ns()
        if t < last:
            t = last
        if abs(w - m - self._skew) > _JUMP_NS:
            before, self._skew = self._skew, w - m
            try:
                self._write((_jump_incident(w - m - before),))
            except EvidenceError:
                self._skew = before  # so that it is told later
                raise
            return self._write(entries)
        self._skew = w - m
        times, lines = b',"t":%d,"w":%d,"m":%d}' % (t, w, m), []
        for entry in entries:
            seq += 1
            body = entry if isinstance(entry, bytes) else encode(entry)
            line, head = chain.close_line(b'%b,"seq":%d%b' % (body, seq, times), head)
            lines.append(line)
        self._state = (self._file.append(lines[0] if len(lines) == 1 else b"".join(lines), end), seq, t, head)
        return lines

    def tell_refused(self, count: int, late: int, error: str, since_ns: int) -> bytes:
        """Tell in one incident that the disk takes events again, instead of what was counted here; gives its line.

        Args:
            count: How many were refused.
            late: How many are kept only now, because they had happened already.
            error: Why.
            since_ns: Wall time of the first, UTC nanoseconds.

        Raises:
            EvidenceError: the disk takes nothing yet.
        """
        with self._lock:
            self._refused, self._refusal, self._refused_ns = count, error, since_ns
            return self._tell_refused(late, "the disk took nothing for a while")

    def _tell_refused(self, late: int = 0, reason: str = "events refused") -> bytes:
        detail = {
            "reason": reason, "count": self._refused, "error": self._refusal,
            "from": _iso(self._refused_ns), "to": _iso(time.time_ns()),
        }  # fmt: skip
        if late:
            detail["late"] = late
        line = self._write((Event(kind="incident", protocol="lab", detail=detail),))[0]
        self._refused = self._refused_ns = 0
        return line

    def close(self) -> None:
        """Sync and close; any further `append` raises EvidenceError. What was refused before is told, if there is room now."""
        with self._lock:
            if self._refused and not self._closed and not self.superseded:
                with suppress(EvidenceError):  # the disk is still full: the next epoch sees that this one has no end
                    self._tell_refused()
            self._closed = True
            self._file.close()


def _iso(utc_ns: int) -> str:
    """A time as people read it, to the second."""
    return datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")


def _recover(folder: Path, epochs: list[Epoch]) -> _State:
    """Where the next epoch goes on: the chain is computed anew from the manifest to the last whole line."""
    head, seq, t = chain.root(folder), 0, 0
    for epoch in epochs:
        lines = epoch.lines
        count, head = chain.follow(lines, head)
        if count < len(lines):
            raise AttemptError(
                f"{epoch.path}:{count + 1} does not follow on the line before: the journal was changed and cannot be "
                "gone on with; run 'labsim verify' and begin a new attempt."
            )
        if lines:
            last = decode_line(lines[-1], f"{epoch.path}:{count}")
            seq, t = last.seq, last.t
    return 0, seq, t, head


def _torn_incident(epoch: Epoch, folder: Path) -> Event:
    return Event(
        kind="incident",
        protocol="lab",
        subject=epoch.path.relative_to(folder).as_posix(),
        detail={
            "reason": "half a line after a crash",
            "bytes": len(epoch.torn),
            "torn": epoch.torn[:_TAIL_KEPT].decode("utf-8", "replace"),
        },
    )


def _jump_incident(jump_ns: int) -> Event:
    """The wall clock moved against the monotonic one: somebody set it, or the machine slept."""
    detail = {"reason": "the wall clock jumped", "seconds": round(jump_ns / 1e9, 3)}
    return Event(kind="incident", protocol="lab", detail=detail)
