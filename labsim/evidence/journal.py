"""The journal: what clients did, one line per event, one file per host, as it lies in the folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from labsim.errors import AttemptError
from labsim.evidence.disk import epoch_files
from labsim.evidence.event import Record

FOLDER = "journal"
SUFFIX = ".jsonl"
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
