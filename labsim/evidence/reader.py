"""All records of an attempt at once: half a million lines in a second, each text of them kept once."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from labsim.errors import AttemptError
from labsim.evidence.disk import epoch_files
from labsim.evidence.event import Record
from labsim.evidence.journal import FOLDER, SUFFIX, decode_line

_PART = 2**18
"""How much is decoded at a time: what is made of it stays in the processor's cache until it has been looked through."""
_decode_lines = msgspec.json.Decoder(Record).decode_lines


def read_journal(folder: Path) -> list[Record]:
    """All records of an attempt, as `read_records` gives them."""
    return read_records(folder)[0]


def read_records(folder: Path) -> tuple[list[Record], bytes]:
    """All records in order, and the last line without its newline; empty when there is none.

    Half a line at the end of an epoch is left out. The chain is not checked here: that is `verify`.

    Raises:
        AttemptError: there is no journal, or a line is not a record; names the line.
    """
    files = epoch_files(folder / FOLDER, SUFFIX)
    if not files:
        raise AttemptError(f"{folder / FOLDER} holds no journal: the lab was never started, run it first.")
    records, last, shared = list[Record](), b"", _Shared()
    with uncollected():
        for _, path in files:
            number = 0
            for part, begins in _parts(path):
                found = _decoded(part, path, number)
                shared.put_into(found)
                records += found
                number += len(found)
                last = bytes(part[begins:-1])
    return records, last


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage, where a million small objects are made that all live on: it would cost a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            # Straight to the oldest generation: on their way there the collector would walk all of them three times.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


class _Shared:
    """Texts and lists of tags, each kept once: records hold the same few again and again, and half of the memory so."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._tags: dict[tuple[str, ...], list[str]] = {}

    def put_into(self, records: Iterable[Record]) -> None:
        """Replace what records hold by what earlier ones held."""
        same, lists = self._texts.setdefault, self._tags.setdefault
        for record in records:
            text = record.kind
            record.kind = same(text, text)
            if text := record.client:
                record.client = same(text, text)
            if text := record.session:
                record.session = same(text, text)
            if text := record.device:
                record.device = same(text, text)
            if text := record.app:
                record.app = same(text, text)
            if text := record.subject:
                record.subject = same(text, text)
            if tags := record.tags:
                record.tags = lists(tuple(tags), tags)


def _parts(path: Path) -> Iterator[tuple[memoryview, int]]:
    """The whole lines of a file, some of them at a time, and where the last of these begins.

    A part is overwritten by the next one.
    """
    room, begun = bytearray(_PART), 0  # read into again and again: new memory would cost more than the reading
    try:
        with path.open("rb", buffering=0) as file:
            while read := file.readinto(memoryview(room)[begun:]):
                filled = begun + read
                end = room.rfind(b"\n", begun, filled) + 1
                if end:
                    yield memoryview(room)[:end], room.rfind(b"\n", 0, end - 1) + 1
                    room[: filled - end] = room[end:filled]
                begun = filled - end
                if begun == len(room):
                    room = room + bytes(len(room))  # one line longer than a part
    except OSError as error:
        raise AttemptError(f"{path} cannot be read ({error.strerror}): make it readable.") from error


def _decoded(part: memoryview, path: Path, before: int) -> list[Record]:
    try:
        return _decode_lines(part)
    except (msgspec.DecodeError, UnicodeDecodeError):
        for number, line in enumerate(bytes(part).split(b"\n")[:-1], before + 1):
            decode_line(line, f"{path}:{number}")
        raise
