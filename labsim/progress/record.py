"""The record: one line per finished attempt, in the user's data folder. It is an index; the attempt folders are the proof."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from labsim.errors import InputError
from labsim.userdata import data_folder

FILE = "record.jsonl"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One finished attempt.

    Attributes:
        at: When it was finished, RFC 3339 UTC.
        attempt: Its folder.
        head: Last hash of its journal, which names the attempt wherever the folder is moved.
        title: Of the scenario, by language.
        minutes: Wall time from its first to its last event.
    """

    at: str
    attempt: str
    head: str
    scenario: str
    title: dict[str, str]
    level: str
    competences: tuple[str, ...]
    seed: str
    score: float
    max: float
    passed: bool
    minutes: float = 0.0


def record_file() -> Path:
    """Where the record of this machine's user is."""
    return data_folder() / FILE


def entry_of(verdict: Mapping[str, Any], *, title: Mapping[str, str], level: str, competences: tuple[str, ...],
             minutes: float) -> Entry:  # fmt: skip
    """The entry of a finished attempt, from its verdict and what its scenario says of itself."""
    return Entry(
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        attempt=str(verdict["attempt"]),
        head=str(verdict["head"]),
        scenario=str(verdict["scenario"]),
        title=dict(title),
        level=level,
        competences=competences,
        seed=str(verdict["seed"]),
        score=float(verdict["score"]),
        max=float(verdict["max"]),
        passed=bool(verdict["passed"]),
        minutes=round(minutes, 1),
    )


def add(entry: Entry, file: Path | None = None) -> None:
    """Put an entry at the end of the record, which is made when there is none.

    Raises:
        InputError: the file cannot be written.
    """
    file = file or record_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as out:
            out.write(msgspec.json.encode(entry) + b"\n")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}): the attempt is not in your record.") from error


def entries(file: Path | None = None) -> list[Entry]:
    """The record, the oldest attempt first; empty when there is none. Half a line that a crash left is passed over.

    Raises:
        InputError: the file cannot be read, or a line of it is no entry.
    """
    file = file or record_file()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): make it readable.") from error
    found = []
    for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{file}:{number} is no entry of a record ({error}): delete that line.") from error
    return found
