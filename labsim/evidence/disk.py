"""How bytes reach the disk: appended in one write, or as a whole file by rename.

What was appended survives the death of the process at once, because it is in the operating system's hands when
`AppendFile.append` returns. It survives a power cut after at most about one second: one thread per process calls
``fdatasync`` on every file that grew, once a second (``fsync`` where there is no ``fdatasync``: macOS, Windows).
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from labsim.errors import DiskError, EvidenceError

SYNC_EVERY_S = 1.0
_BINARY = getattr(os, "O_BINARY", 0)  # only Windows translates newlines
_data_sync = getattr(os, "fdatasync", os.fsync)


class AppendFile:
    """A file that grows by whole records: each is one ``os.write``, or is not there.

    The caller says where the file ends, so that a record which was half written, or written but never counted because an
    exception came in between, is cut away before the next one.

    Args:
        path: Created; must not exist.
        go_on: It does exist, and what is in it stays.

    Raises:
        FileExistsError: ``path`` exists.
        EvidenceError: it cannot be created.
    """

    def __init__(self, path: Path, *, go_on: bool = False) -> None:
        self.path = path
        try:
            new = 0 if go_on else os.O_CREAT | os.O_EXCL
            self._fd = os.open(path, os.O_WRONLY | new | os.O_APPEND | _BINARY, 0o644)
        except FileExistsError:
            raise
        except OSError as error:
            raise DiskError(str(path), error.strerror) from error
        self._end = os.fstat(self._fd).st_size  # where the file is known to end; -1 while a write is under way
        self._refusal = ""  # why nothing may be appended any more
        self._dirty = False
        self._syncing = threading.Lock()
        _SYNCER.add(self)

    def append(self, data: bytes, at: int) -> int:
        """Write ``data`` at offset ``at``, where the caller's last record ended; returns the new end.

        Raises:
            DiskError: it was not written, and before anything else is, what is left of it is cut away.
            EvidenceError: the file takes no more.
        """
        if self._refusal:
            raise EvidenceError(self._refusal)
        if self._end != at:
            self._cut(at)
        self._end = -1
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._cut(at)
            raise DiskError(str(self.path), error.strerror) from error
        if written != len(data):
            self._cut(at)
            raise DiskError(str(self.path), f"only {written} of {len(data)} bytes fitted")
        self._end = at + written
        self._dirty = True
        return self._end

    def _cut(self, end: int) -> None:
        """Take the file back to ``end``; as long as even that fails, nothing may follow on a half record."""
        try:
            os.ftruncate(self._fd, end)
        except OSError as error:
            raise DiskError(str(self.path), error.strerror) from error
        self._end = end

    def sync(self) -> None:
        """Put what was appended beyond the reach of a power cut; a failure is raised by the next `append`."""
        with self._syncing:
            if self._fd < 0 or not self._dirty:
                return
            self._dirty = False
            try:
                _data_sync(self._fd)
            except OSError as error:
                # After a failed sync the kernel may have dropped the pages: what follows would stand on a hole.
                self._refusal = str(DiskError(str(self.path), error.strerror))

    def close(self) -> None:
        """Sync and close; nothing can be appended afterwards. Closing twice is harmless.

        Raises:
            EvidenceError: the last sync failed.
        """
        _SYNCER.remove(self)
        self.sync()
        with self._syncing:
            if self._fd < 0:
                return
            os.close(self._fd)
            self._fd = -1
            failed, self._refusal = self._refusal, f"{self.path} is closed: no further event can be kept in it."
        if failed:
            raise EvidenceError(failed)


class _Syncer:
    """The thread that syncs all open files of this process once a second; it lives while there are any."""

    def __init__(self) -> None:
        self._files: dict[AppendFile, None] = {}  # in order of opening: a text is synced before the record naming it
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, file: AppendFile) -> None:
        with self._lock:
            self._files[file] = None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="labsim-sync", daemon=True)
                self._thread.start()

    def remove(self, file: AppendFile) -> None:
        with self._lock:
            self._files.pop(file, None)

    def _run(self) -> None:
        while True:
            time.sleep(SYNC_EVERY_S)
            with self._lock:
                files = list(self._files)
                if not files:
                    self._thread = None
                    return
            for file in files:
                file.sync()


_SYNCER = _Syncer()


def cut_back(path: Path, size: int) -> None:
    """Take a file that nobody has open back to ``size`` bytes.

    Raises:
        EvidenceError: it cannot be written.
    """
    try:
        os.truncate(path, size)
    except OSError as error:
        raise DiskError(str(path), error.strerror) from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet.

    Raises:
        FileExistsError: it does.
        DiskError: it cannot be written.
    """
    try:
        file = path.open("xb")
    except FileExistsError:
        raise
    except OSError as error:
        raise DiskError(str(path), error.strerror) from error
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise DiskError(str(path), error.strerror) from error
    sync_folder(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all (temporary file, sync, rename).

    Raises:
        DiskError: it cannot be written.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise DiskError(str(path), error.strerror) from error
    sync_folder(path.parent)


PART = ".part"
"""Ending of a file on its way to its name; one that is left over is of no meaning."""


def sync_folder(folder: Path) -> None:
    """Make new names in ``folder`` survive a power cut; Windows does that by itself and cannot open a folder."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def epoch_files(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """Files ``eNNNN<suffix>`` of a folder with their epoch number, in order; empty when there is no folder."""
    if not folder.is_dir():
        return []
    pattern = re.compile(r"e(\d{4,})" + re.escape(suffix))
    return sorted((int(match[1]), path) for path in folder.iterdir() if (match := pattern.fullmatch(path.name)))


def epoch_name(epoch: int, suffix: str) -> str:
    """The name of an epoch's file: ``e0001.jsonl``."""
    return f"e{epoch:04d}{suffix}"
