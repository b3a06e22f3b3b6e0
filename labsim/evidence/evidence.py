"""What the grader sees of an attempt: the folder, read only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from labsim.errors import AttemptError
from labsim.evidence import chain, handin
from labsim.evidence.event import Record
from labsim.evidence.history import History
from labsim.evidence.manifest import Manifest, TagInfo, read_manifest, read_tags
from labsim.evidence.reader import read_records
from labsim.evidence.rows import Rows, merged

Kind = str | tuple[str, ...] | None
T = TypeVar("T")
_NONE = Rows()


@dataclass(frozen=True, slots=True)
class HandIn:
    """A hand-in file as it last was at a snapshot.

    Attributes:
        path: Below ``handin/``, with slashes.
        data: Its bytes.
        sha256: Of the bytes, in hex.
        seq: Number of the record that kept it.
        t: Simulated nanoseconds of that record.
    """

    path: str
    data: bytes
    sha256: str
    seq: int
    t: int


class Evidence:
    """One attempt, as it was when it was loaded. Made by `load`.

    Attributes:
        folder: The attempt folder.
        manifest: What the attempt is about.
        tags: Tags by path.
        records: The journal, in order.
        history: What was true.
        head: The hash of the last record, in hex.
    """

    def __init__(self, folder: Path, manifest: Manifest, tags: list[TagInfo], records: list[Record], head: str) -> None:
        self.folder, self.manifest, self.records, self.head = folder, manifest, Rows(records), head
        self.tags = {tag.path: tag for tag in tags}
        self.history = History(folder, self.tags)
        self._found: dict[tuple[str | None, Kind, str | None], Rows] = {}

    @classmethod
    def load(cls, folder: Path) -> Evidence:
        """Read an attempt, running or not. Nothing is verified here: that is `verify`.

        Raises:
            AttemptError: the folder is missing, incomplete or damaged.
        """
        if not folder.is_dir():
            raise AttemptError(f"{folder} is not a folder: give the folder of an attempt.")
        manifest, tags = read_manifest(folder), read_tags(folder)
        records, last = read_records(folder)
        head = chain.stated(last) if last else chain.root(folder).hex()
        return cls(folder, manifest, tags, records, head)

    def of(self, protocol: str | None = None, kind: Kind = None, device: str | None = None) -> Rows:
        """Records of a protocol, a kind (or one of several) and a device, each if given; in order."""
        key = (protocol, kind, device)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(protocol, kind, device)
        return found

    def _find(self, protocol: str | None, kind: Kind, device: str | None) -> Rows:
        if kind is None and protocol is not None and device is not None:
            kind = tuple(self.of(protocol).by_kind)  # by kind and device others ask, too
        if isinstance(kind, tuple):
            return merged(self.of(protocol, each, device) for each in kind)
        if device is not None:
            return self.of(protocol, kind).by_device.get(device, _NONE)
        by_protocol = self.records.by_protocol
        if kind is not None:
            rows = by_protocol.values() if protocol is None else (self.of(protocol),)
            return merged(each.by_kind[kind] for each in rows if kind in each.by_kind)
        return self.records if protocol is None else by_protocol.get(protocol, _NONE)

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives: asked once for each key, then kept as long as this evidence is."""
        kept: dict[Hashable, Any] = self.__dict__.setdefault("_memo", {})
        if key not in kept:
            kept[key] = make()
        found: T = kept[key]
        return found

    def file(self, path: str) -> HandIn | None:
        """The last snapshot of a hand-in file; None when it was never there or is gone.

        Raises:
            AttemptError: the kept copy is missing or was changed.
        """
        record = self._files.get(path)
        if record is None:
            return None
        sha256 = str(record.detail["sha256"])
        kept = self.folder / handin.STORE / sha256
        try:
            data = kept.read_bytes()
        except OSError as error:
            raise AttemptError(f"{kept}, the copy of {path}, cannot be read: {error.strerror}.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise AttemptError(f"{kept}, the copy of {path}, was changed: run 'labsim verify'.")
        return HandIn(path, data, sha256, record.seq, record.t)

    def files(self) -> list[str]:
        """Paths of the hand-in files there are, in order."""
        return sorted(self._files)

    def answer(self, task: str) -> Record | None:
        """The last answer to a task."""
        answers = [r for r in self.of("lab", "answer") if r.detail.get("task") == task]
        return answers[-1] if answers else None

    def hints(self, task: str) -> list[Record]:
        """The hints opened for a task, in order."""
        return [r for r in self.of("lab", "hint") if r.detail.get("task") == task]

    start_ns: int = 0
    """Plant time from which it is looked at; over 0 in a part of an attempt."""

    @property
    def end_ns(self) -> int:
        """Simulated nanoseconds of the last record; 0 when there is none."""
        return self.records[-1].t if self.records else 0

    def utc_ns(self, t: int) -> int:
        """UTC nanoseconds, as devices stamp them, that simulated time ``t`` stands for."""
        return self.manifest.utc_origin_ns + t

    def t_of_utc(self, utc_ns: int) -> int:
        """Simulated nanoseconds of a device's UTC timestamp."""
        return utc_ns - self.manifest.utc_origin_ns

    @cached_property
    def _files(self) -> dict[str, Record]:
        return handin.handed_in(self.of("lab", "file"))
