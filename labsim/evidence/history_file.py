"""The files of a history: what was true in the plant, by step.

A record is 18 bytes, little-endian: step, tag (its row in ``tags.json``), status, value. A value is in force until the next
record of the same tag, so a recorder may write changes only. The value of a text tag is the number of a line in the epoch's
``.text`` file, which holds one JSON string per line. When an attempt is sealed, each ``.bin`` file is compressed to a ``.gz``
file (`labsim.evidence.planes`), which everything here reads in its place.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from labsim.errors import AttemptError, DiskError
from labsim.evidence import planes
from labsim.evidence.disk import epoch_files, write_whole

FOLDER = "history"
OPEN, CLOSED = ".bin", ".gz"
"""Endings of a file of records while its attempt is open, and once it is sealed."""
RECORD = np.dtype([("step", "<u4"), ("tag", "<u2"), ("status", "<u4"), ("value", "<f8")])
STEP_NS = 100_000_000
"""Simulated nanoseconds per step: the plant's own, repeated here because evidence must be readable without a plant."""


def record_files(folder: Path) -> list[Path]:
    """The files of records of an attempt, one for each epoch, in order.

    When a host died while it compressed, an epoch has both; they hold the same, and the compressed one counts.
    """
    files = dict(epoch_files(folder / FOLDER, OPEN)) | dict(epoch_files(folder / FOLDER, CLOSED))
    return [files[epoch] for epoch in sorted(files)]


def compress(folder: Path) -> None:
    """Compress the records of an attempt that is about to be sealed; a file that finds no room stays as it is."""
    for _, path in epoch_files(folder / FOLDER, OPEN):
        with suppress(DiskError):
            data, packed = path.read_bytes(), path.with_suffix(CLOSED)
            write_whole(packed, planes.pack(data, RECORD.itemsize))
            if read_bytes(packed) == data:  # only then
                path.unlink()


def read_bytes(path: Path) -> bytes:
    """One file of `record_files` as it was recorded.

    Raises:
        AttemptError: it cannot be read, or was changed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AttemptError(f"{path} cannot be read ({error.strerror}): make it readable.") from error
    if path.suffix == OPEN:
        return data
    try:
        return planes.unpack(data, RECORD.itemsize)
    except ValueError as error:
        raise AttemptError(f"{path} is not a compressed history ({error}): it was changed.") from error


def read_records(path: Path) -> NDArray[np.void]:
    """The whole records of one file of `record_files`, read only; half a record at its end is left out.

    Raises:
        AttemptError: it cannot be read, or was changed.
    """
    data = read_bytes(path)
    return np.frombuffer(data, RECORD, len(data) // RECORD.itemsize)


def read_texts(path: Path) -> list[str]:
    """The whole lines of one ``.text`` file.

    Raises:
        AttemptError: it cannot be read, or a line is not a JSON string; names the line.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise AttemptError(f"{path} cannot be read ({error.strerror}): make it readable.") from error
    texts = []
    for number, line in enumerate(lines, 1):
        try:
            texts.append(msgspec.json.decode(line, type=str))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AttemptError(f"{path}:{number} is not a JSON string: the history was changed.") from error
    return texts


def last_step(folder: Path) -> int:
    """The step of the last record in an attempt's history, -1 when there is none."""
    for path in reversed(record_files(folder)):
        records = read_records(path)
        if records.size:
            return int(records["step"][-1])
    return -1
