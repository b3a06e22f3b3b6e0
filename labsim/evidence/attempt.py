"""One attempt as its host writes it: the folder, from creation to the seal."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import handin, heads, verdicts
from labsim.evidence.disk import PART, write_whole
from labsim.evidence.event import Entry, Event, Record
from labsim.evidence.folder import lay_out, make
from labsim.evidence.heads import Heads
from labsim.evidence.history_file import STEP_NS, compress, last_step
from labsim.evidence.history_writer import HistoryWriter
from labsim.evidence.journal import read_epochs
from labsim.evidence.journal_writer import JournalWriter
from labsim.evidence.key import SigningKey
from labsim.evidence.lock import FolderLock
from labsim.evidence.manifest import Manifest, TagInfo, read_manifest, read_tags
from labsim.evidence.reader import read_journal
from labsim.evidence.seal import SEAL, write_seal

_LOOK_EVERY_NS = 1_000_000_000
_ROOM = 1 << 20
"""Bytes that must fit before a disk that was full counts as having room again."""


class Attempt:
    """The open folder of an attempt; the only writer of it. Made by `create` or `resume`.

    Attributes:
        folder: The attempt folder.
        manifest: What it is about.
        tags: Its tags, in the order of their rows.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tags: Sequence[TagInfo],
        held: FolderLock,
        clock_t: Callable[[], int],
        key: SigningKey | None,
    ) -> None:
        self.folder, self.manifest, self.tags = folder, manifest, tuple(tags)
        self._held, self._closed, self._sealed = held, False, False
        self._text_rows = {tag.row for tag in tags if tag.type == "text"}
        known = handin.handed_in(read_journal(folder)) if read_epochs(folder) else {}
        self._handins = handin.HandIns(folder, {name: str(r.detail["sha256"]) for name, r in known.items()})
        self._last_step = last_step(folder)
        self._journal = JournalWriter(folder, clock_t)
        if self._journal.seq:
            self._last_step = max(self._last_step, self._journal.t // STEP_NS)
        try:
            self._history = HistoryWriter(folder, self._journal.epoch)
        except BaseException:
            self._journal.close()
            raise
        self._key = key
        self._heads = Heads(folder, self._journal.epoch, key) if key is not None else None
        self._look_ns, self._looking = 0, threading.Lock()  # monotonic time of the next look around

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        manifest: Manifest,
        tags: Sequence[TagInfo],
        scenario_files: Mapping[str, bytes],
        clock_t: Callable[[], int],
        key: SigningKey | None = None,
    ) -> Attempt:
        """Begin an attempt in a new or empty folder (a ``handin/`` may be there already).

        Args:
            folder: Made with its parents.
            manifest: Its ``files`` and ``tags`` hashes are filled in here.
            tags: In the order of their rows.
            scenario_files: Content by path below ``scenario/``, with slashes.
            clock_t: Simulated nanoseconds now.
            key: Signs the journal's heads and the seal; nothing is signed without it.

        Raises:
            AttemptError: the folder holds something else, or another host holds it.
            EvidenceError: the disk takes nothing.
        """
        try:
            make(folder)
            held = FolderLock(folder)
        except OSError as error:
            raise AttemptError(f"{folder} cannot be made ({error.strerror}): name another folder.") from error
        try:
            manifest = lay_out(folder, manifest, tags, scenario_files)
            return cls(folder, manifest, tags, held, clock_t, key)
        except OSError as error:
            held.release()
            raise EvidenceError(f"{folder} cannot be written to ({error.strerror}): name another folder.") from error
        except BaseException:
            held.release()
            raise

    @classmethod
    def resume(cls, folder: Path, clock_t: Callable[[], int], key: SigningKey | None = None) -> Attempt:
        """Go on with an attempt whose host ended without a seal: a new epoch, at `next_step`; else as `create`.

        Raises:
            AttemptError: no attempt, a sealed one, a damaged one, or one that another host holds.
            EvidenceError: the disk takes nothing.
        """
        manifest, tags = read_manifest(folder), read_tags(folder)
        held = FolderLock(folder)
        try:
            if (folder / SEAL).exists():
                raise AttemptError(f"{folder} is sealed: it can be graded, not gone on with. Begin a new attempt.")
            return cls(folder, manifest, tags, held, clock_t, key)
        except OSError as error:
            held.release()
            raise EvidenceError(f"{folder} cannot be written to ({error.strerror}): make it writable.") from error
        except BaseException:
            held.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def head(self) -> str:
        """The last hash of the journal, in hex: it stands for all that was kept so far."""
        return self._journal.head

    @property
    def epoch(self) -> int:
        """Which host this is, from 1."""
        return self._journal.epoch

    @property
    def next_step(self) -> int:
        """Where the plant goes on: 0 in a new attempt, else the step after the last that anything is known of."""
        return self._last_step + 1

    @property
    def handin(self) -> Path:
        """The trainee's folder."""
        return self.folder / handin.FOLDER

    def append(self, event: Event) -> Record:
        """Keep an event and give it as it stands in the journal; from any thread.

        Raises:
            EvidenceError: it is not kept: no answer may go out.
        """
        self._look_around()
        return self._journal.append(event)

    def write_all(self, entries: Sequence[Entry]) -> list[bytes]:
        """Keep events that came together, in one write, and give their lines of the journal; from any thread.

        Raises:
            EvidenceError: none is kept: no answer to any of them may go out.
        """
        if time.monotonic_ns() >= self._look_ns:
            self._look_around()
        return self._journal.write_all(entries)

    def tell_refused(self, count: int, late: int, error: str, since_ns: int) -> bytes:
        """Tell that the folder takes events again after it took none for a while; see `JournalWriter.tell_refused`.

        Raises:
            EvidenceError: it does not, or there is hardly any room yet.
        """
        self._look_around()
        probe = self.folder / handin.STORE / f"room{PART}"
        write_whole(probe, bytes(_ROOM))
        probe.unlink()
        return self._journal.tell_refused(count, late, error, since_ns)

    def keep(self, event: Event) -> None:
        """Keep an event: the `Sink` of every endpoint.

        Raises:
            EvidenceError: it is not kept: no answer may go out.
        """
        self.write_all((event,))

    def record(
        self, step: int, rows: ArrayLike, values: ArrayLike, statuses: ArrayLike, texts: Mapping[int, str] | None = None
    ) -> None:
        """Keep what is true from ``step`` on.

        Args:
            step: Not before the last one.
            rows: Rows of the tags, n of them.
            values: float64, n of them; those of text tags are ignored.
            statuses: StatusCodes, n of them.
            texts: Text by row, for every text tag among ``rows``.

        Raises:
            EvidenceError: it is not kept.
        """
        assert step >= self._last_step, "history runs forward"
        if time.monotonic_ns() >= self._look_ns:
            self._look_around()
        self._last_step = step
        tags = np.asarray(rows)
        numbers = np.array(values, np.float64)
        if texts and self._text_rows:
            for at in np.flatnonzero(np.isin(tags, list(self._text_rows))):
                numbers[at] = self._history.text(texts[int(tags[at])])
        self._history.append(step, tags, numbers, statuses)

    def _look_around(self) -> None:
        """Once a second: whether the attempt is still ours, and whether a head is due.

        A host that was frozen, so that another could take the attempt over, finds that out here before it writes.
        """
        with self._looking:
            now = time.monotonic_ns()
            if now < self._look_ns:
                return
            self._journal.demand_latest()
            self._look_ns = now + _LOOK_EVERY_NS
            if self._heads is not None and now >= self._heads.due_ns:
                self._heads.sign_soon(*self._journal.last)

    def _sign(self, why: heads.Why) -> None:
        if self._heads is None:
            return
        with suppress(EvidenceError):  # another host's attempt now: what follows is for that one to sign
            self._journal.demand_latest()
            self._heads.sign(*self._journal.last, why)

    def snapshot_handin(self) -> list[Record]:
        """Keep every file of ``handin/`` that is new, changed or gone; gives the records, incidents among them.

        Raises:
            EvidenceError: something could not be kept.
        """
        return [self._journal.append(event) for event in self._handins.changes()]

    @property
    def seq(self) -> int:
        """Number of the last record; 0 before the first."""
        return self._journal.seq

    def save_verdict(self, document: Mapping[str, Any]) -> Path:
        """Keep a verdict under the next number, signed; see `labsim.evidence.verdicts`."""
        return verdicts.save_verdict(self.folder, document, self._key)

    def close(self) -> None:
        """End this epoch without a seal, so that the attempt can be resumed; closing twice is harmless."""
        if not self._closed:
            self._sign("close")
        self._closed = True
        try:
            self._end_files()
        finally:
            self._held.release()

    def _end_files(self) -> None:
        self._journal.close()
        self._history.close()
        if self._heads is not None:
            self._heads.close()

    def discard(self) -> None:
        """Close, and take the folder away again if nothing ever happened: no event was kept and nothing handed in.

        For a lab that could not start; what cannot be removed stays, since an empty attempt harms nobody.
        """
        untouched = self._journal.seq == 0 and not any(self.handin.iterdir())
        self.close()
        if untouched:
            shutil.rmtree(self.folder, ignore_errors=True)

    def seal(self) -> Path:
        """Close the attempt for good: ``seal.json`` holds the SHA-256 of every file, and no event is kept afterwards.

        The seal is one line of JSON that follows on the head like a line of the journal. Sealing twice is harmless.

        Raises:
            EvidenceError: it could not be written; the attempt can then be resumed.
        """
        if self._sealed:
            return self.folder / SEAL
        if self._closed:
            raise EvidenceError(f"{self.folder} is closed: resume the attempt to seal it.")
        self._journal.demand_latest()
        self._closed = True
        self._sign("seal")
        try:
            self._end_files()
            compress(self.folder)
            write_seal(self.folder, self._journal.seq, self.head, self._heads)
            self._sealed = True
        finally:
            self._held.release()
        return self.folder / SEAL
