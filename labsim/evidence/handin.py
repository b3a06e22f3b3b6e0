"""The trainee's hand-in folder and how its files become evidence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from labsim.evidence.disk import write_whole
from labsim.evidence.event import Event, Record

FOLDER = "handin"
STORE = "files"
FILE_BYTES_MAX = 16 * 2**20
FILES_MAX = 1000
"""Files kept of a hand-in folder, those nearest its top first; a folder full of libraries must not fill the disk."""


class HandIns:
    """Takes snapshots of ``handin/``: each file by its content into ``files/<sha256>``, each change as an event.

    Args:
        folder: The attempt folder.
        known: SHA-256 of each file by its path in ``handin/``, as the journal last said.
    """

    def __init__(self, folder: Path, known: dict[str, str]) -> None:
        self._root, self._store, self._known = folder / FOLDER, folder / STORE, known
        self._real = folder.resolve() / FOLDER

    def changes(self) -> Iterator[Event]:
        """Events for what changed since the last snapshot; a file's content is kept before its event is given.

        An event counts as kept when the next one is asked for. What cannot be kept (too large, a link out of the folder,
        unreadable, a strange name) is an ``incident``, and what was kept of it before stands.

        Raises:
            EvidenceError: a copy cannot be written.
        """
        seen: set[str] = set()
        for number, path in enumerate(_walk(self._root)):
            if number == FILES_MAX:
                yield _incident("", f"more than {FILES_MAX} files; the rest is not kept")
                # What was not looked at is not gone.
                seen |= self._known.keys()
                break
            name = path.relative_to(self._root).as_posix()
            seen.add(name)
            data = self._read(path, name)
            if isinstance(data, Event):
                yield data
                seen |= {other for other in self._known if other.startswith(f"{name}/")}  # of a folder not to be read
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            if self._known.get(name) == sha256:
                continue
            if not (self._store / sha256).exists():
                write_whole(self._store / sha256, data)
            yield Event(kind="file", protocol="lab", subject=name, detail={"sha256": sha256, "size": len(data)})
            self._known[name] = sha256
        for name in sorted(self._known.keys() - seen):
            yield Event(kind="file", protocol="lab", subject=name, detail={"gone": True})
            del self._known[name]

    def _read(self, path: Path, name: str) -> bytes | Event:
        """The bytes of a file, or why they are not taken."""
        try:
            name.encode("utf-8")
            if not path.resolve().is_relative_to(self._real):
                return _incident(name, "a link out of the hand-in folder is not followed")
            if not path.is_file():
                return _incident(name, "not a file")
            with path.open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
        except UnicodeEncodeError:
            return _incident(name, "the name is not valid Unicode")
        except (OSError, RuntimeError) as error:  # RuntimeError: a ring of links, in Python 3.11 and 3.12
            return _incident(name, f"could not be read: {error}")
        if len(data) > FILE_BYTES_MAX:
            return _incident(name, f"larger than {FILE_BYTES_MAX >> 20} MiB")
        return data


def handed_in(records: Sequence[Record]) -> dict[str, Record]:
    """The last ``file`` record of each hand-in path that is not gone."""
    latest: dict[str, Record] = {}
    for record in records:
        if record.kind == "file" and record.protocol == "lab":
            if record.detail.get("gone"):
                latest.pop(record.subject, None)
            else:
                latest[record.subject] = record
    return latest


def _walk(root: Path) -> Iterator[Path]:
    """Everything below a folder that is not itself a folder, level by level, by name; links to folders are not entered."""
    level = [root]
    while level:
        below: list[Path] = []
        for folder in level:
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                if folder != root:
                    yield folder  # reading it as a file will say why
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                else:
                    yield Path(entry.path)
        level = below


def _incident(name: str, reason: str) -> Event:
    return Event(kind="incident", protocol="lab", subject=name, detail={"reason": reason})
