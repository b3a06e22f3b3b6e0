"""The journal: what clients did, one line per event, each on disk before the client hears of it."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import chain
from labsim.evidence.disk import AppendFile, cut_back, epoch_files, epoch_name
from labsim.evidence.event import Event, Record

FOLDER = "journal"
SUFFIX = ".jsonl"
_TAIL_KEPT = 1024
_DEPTH_KEPT = 16
_decoder = msgspec.json.Decoder(Record)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One file of the journal as it was read.

    Attributes:
        number: From 1.
        path: The file.
        data: Its whole lines, each with its newline.
        torn: What stands after the last newline: a write that a crash cut off, never acknowledged.
    """

    number: int
    path: Path
    data: bytes
    torn: bytes

    @property
    def lines(self) -> list[bytes]:
        """The whole lines, without newlines."""
        return self.data.split(b"\n")[:-1]

    @property
    def last_line(self) -> bytes:
        """The last whole line, without its newline; empty when there is none."""
        return self.data[self.data.rfind(b"\n", 0, -1) + 1 : -1]


def read_epochs(folder: Path) -> list[Epoch]:
    """The journal files of an attempt, in order.

    Raises:
        AttemptError: one cannot be read.
    """
    epochs = []
    for number, path in epoch_files(folder / FOLDER, SUFFIX):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise AttemptError(f"{path} cannot be read ({error.strerror}): make it readable.") from error
        whole = data.rfind(b"\n") + 1
        epochs.append(Epoch(number, path, data[:whole], data[whole:]))
    return epochs


def decode_epoch(epoch: Epoch) -> list[Record]:
    """The records of one file.

    Raises:
        AttemptError: a line is not a record; names the line.
    """
    try:
        return _decoder.decode_lines(epoch.data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        for number, line in enumerate(epoch.lines, 1):
            decode_line(line, f"{epoch.path}:{number}")
        raise


def decode_line(line: bytes, where: str) -> Record:
    """The record in one line.

    Raises:
        AttemptError: it is none.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AttemptError(
            f"{where} is not a record ({error}): the journal is damaged, run 'labsim verify'."
        ) from error


def decode_epochs(epochs: Sequence[Epoch]) -> list[Record]:
    """The records of all files, in order.

    Raises:
        AttemptError: a line is not a record; names the line.
    """
    # Decoding makes no garbage, but the collector would walk the growing list again and again: three times the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [record for epoch in epochs for record in decode_epoch(epoch)]
    finally:
        if collecting:
            gc.enable()


def read_journal(folder: Path) -> list[Record]:
    """All records of an attempt in order; half a line at the end of an epoch is left out.

    The chain is not checked here: that is `verify`.

    Raises:
        AttemptError: there is no journal, or a line is not a record.
    """
    epochs = read_epochs(folder)
    if not epochs:
        raise AttemptError(f"{folder / FOLDER} holds no journal: give the folder of an attempt.")
    return decode_epochs(epochs)


class _State(NamedTuple):
    """Where the chain stands; replaced as a whole, so that no exception can leave half of it."""

    end: int  # of this epoch's file, in bytes
    seq: int
    t: int
    head: bytes


class JournalWriter:
    """Opens the next epoch of an attempt's journal and appends events to it; may be called from any thread.

    What an earlier epoch left half written is cut away, after the new epoch has said so in an ``incident``. The caller
    holds the folder's lock; the epoch itself is claimed by exclusive creation.

    Args:
        folder: The attempt folder; it has a ``manifest.json``.
        clock_t: Simulated nanoseconds now. A clock that lags behind the journal is lifted to its last ``t``.

    Attributes:
        epoch: Number of the epoch, from 1.

    Raises:
        AttemptError: the journal is damaged, or another host claimed the epoch.
        EvidenceError: the disk takes nothing.
    """

    def __init__(self, folder: Path, clock_t: Callable[[], int]) -> None:
        self._clock_t = clock_t
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder(enc_hook=_plain)
        self._refused, self._refusal = 0, ""
        epochs = read_epochs(folder)
        self._state = _recover(folder, epochs)
        self.epoch = epochs[-1].number + 1 if epochs else 1
        (folder / FOLDER).mkdir(exist_ok=True)
        path = folder / FOLDER / epoch_name(self.epoch, SUFFIX)
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

    @property
    def head(self) -> str:
        """The last hash, in hex."""
        return self._state.head.hex()

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return self._state.seq

    @property
    def t(self) -> int:
        """Simulated nanoseconds of the last event; 0 before the first."""
        return self._state.t

    def append(self, event: Event) -> Record:
        """Keep one event: when this returns, it survives the end of the process.

        After a failure the next event that can be kept is preceded by an ``incident`` that counts the lost ones; their
        senders never got an answer.

        Raises:
            EvidenceError: it is not kept, and nothing of it is in the journal.
        """
        with self._lock:
            try:
                if self._refused:
                    self._write(
                        Event(
                            kind="incident",
                            protocol="lab",
                            detail={"reason": "events refused", "count": self._refused, "error": self._refusal},
                        )
                    )
                    self._refused = 0
                return self._write(event)
            except EvidenceError as error:
                self._refused, self._refusal = self._refused + 1, str(error)
                raise

    def _write(self, event: Event) -> Record:
        state = self._state
        t = max(self._clock_t(), state.t)
        stamp = b',"seq":%d,"t":%d,"w":%d,"m":%d}' % (state.seq + 1, t, time.time_ns(), time.monotonic_ns())
        try:
            body, record = self._encode(event, stamp)
        except (TypeError, UnicodeEncodeError, RecursionError):
            # A client may send what JSON cannot hold: it is kept as text, because dropping it would be a hole.
            body, record = self._encode(msgspec.structs.replace(event, **_legible_fields(event)), stamp)
        line, head = chain.close_line(body, state.head)
        end = self._file.append(line, state.end)
        self._state = _State(end, record.seq, t, head)
        return record

    def _encode(self, event: Event, stamp: bytes) -> tuple[bytes, Record]:
        """The line without hash, and the record as every reader will see it: what cannot be read back is not written."""
        body = self._encoder.encode(event)[:-1] + stamp
        try:
            return body, _decoder.decode(body)
        except msgspec.DecodeError as error:
            raise EvidenceError(f"{self._file.path}: an event of kind {event.kind!r} is malformed: {error}.") from error

    def close(self) -> None:
        """Sync and close; any further `append` raises EvidenceError."""
        with self._lock:
            self._file.close()


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
    return _State(0, seq, t, head)


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


def _plain(value: Any) -> Any:
    """A NumPy scalar or array as Python's own numbers, which JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept in an event")


def _legible_fields(event: Event) -> dict[str, Any]:
    return {name: _legible(getattr(event, name), 0) for name in Event.__struct_fields__}


def _legible(value: Any, depth: int) -> Any:
    """The nearest thing JSON can hold: lone surrogates escaped, deep nests cut, strange objects by their ``repr``."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple, dict)) and depth == _DEPTH_KEPT:
        return "…"
    if isinstance(value, (list, tuple)):
        return [_legible(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_legible(str(key), depth): _legible(item, depth + 1) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _legible(value.tolist(), depth)
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
