"""The writer of a history."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from labsim.errors import AttemptError
from labsim.evidence.disk import AppendFile, epoch_name
from labsim.evidence.history_file import FOLDER, OPEN, RECORD

_TEXTS_REMEMBERED = 1024


class HistoryWriter:
    """Appends one epoch's records; not for more than one thread at a time.

    Args:
        folder: The attempt folder.
        epoch: The journal's epoch; claimed by exclusive creation.

    Raises:
        AttemptError: another lab claimed the epoch.
        EvidenceError: the disk takes nothing.
    """

    def __init__(self, folder: Path, epoch: int) -> None:
        (folder / FOLDER).mkdir(exist_ok=True)
        path = folder / FOLDER / epoch_name(epoch, OPEN)
        try:
            self._texts = AppendFile(path.with_suffix(".text"))  # first: a text is synced before the record naming it
            self._records = AppendFile(path)
        except FileExistsError as error:
            raise AttemptError(f"{path} was just claimed by another lab: stop one of the two.") from error
        self._records_end = self._texts_end = self._lines = 0
        self._known: dict[str, int] = {}

    def append(self, step: int, rows: ArrayLike, values: ArrayLike, statuses: ArrayLike) -> None:
        """Keep the values and statuses of ``rows`` as they are from ``step`` on, in one write.

        Raises:
            EvidenceError: they are not kept, and nothing of them is in the file.
        """
        tags = np.asarray(rows)
        if not tags.size:
            return
        records = np.empty(tags.size, RECORD)
        records["step"], records["tag"], records["status"], records["value"] = step, tags, statuses, values
        self._records_end = self._records.append(records.tobytes(), self._records_end)

    def text(self, value: str) -> int:
        """The number of the line that holds ``value``, written if it is not known.

        Raises:
            EvidenceError: it cannot be written.
        """
        line = self._known.get(value)
        if line is None:
            data = msgspec.json.encode(value.encode("utf-8", "backslashreplace").decode("utf-8")) + b"\n"
            self._texts_end = self._texts.append(data, self._texts_end)
            line, self._lines = self._lines, self._lines + 1
            if len(self._known) == _TEXTS_REMEMBERED:
                self._known.clear()
            self._known[value] = line
        return line

    def close(self) -> None:
        """Sync and close; any further `append` raises EvidenceError."""
        self._texts.close()
        self._records.close()
