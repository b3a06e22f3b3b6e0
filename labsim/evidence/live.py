"""The history of an attempt that is still being written: read on from where the last look ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from labsim.errors import AttemptError, UnknownNameError
from labsim.evidence.history import Series
from labsim.evidence.history_file import OPEN, RECORD, STEP_NS, read_bytes, record_files
from labsim.evidence.manifest import TagInfo


class _Grown:
    """A file that grows: what was added since the last look, in whole pieces."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def more(self) -> bytes:
        """Bytes from where the last whole piece ended; a compressed file grows no more, and is read once."""
        if self.path.suffix not in (OPEN, ".text"):
            return b"" if self.read else read_bytes(self.path)
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise AttemptError(f"{self.path} cannot be read ({error.strerror}): make it readable.") from error


class LiveHistory:
    """Everything that was recorded so far, tag by tag.

    A look costs as much as was written since the last one; what was read stays in memory, at 24 bytes per record.

    Args:
        folder: The attempt folder.
        tags: Tags by path.
    """

    def __init__(self, folder: Path, tags: Mapping[str, TagInfo]) -> None:
        self._folder, self._tags = folder, tags
        self._text_rows = np.array([tag.row for tag in tags.values() if tag.type == "text"], np.int64)
        self._files: dict[str, tuple[_Grown, _Grown]] = {}
        self._first_text: dict[str, int] = {}
        self._texts: list[str] = []
        self._parts: dict[int, list[NDArray[np.void]]] = {}
        self._series: dict[int, Series] = {}

    def whole(self, path: str) -> Series:
        """All records of a tag, each from the time it was recorded.

        Raises:
            UnknownNameError: there is no such tag.
            AttemptError: the history cannot be read.
        """
        tag = self._tags.get(path)
        if tag is None:
            raise UnknownNameError("tag", path, self._tags)
        self.refresh()
        parts = self._parts.pop(tag.row, [])
        known = self._series.get(tag.row)
        if parts or known is None:
            known = self._series[tag.row] = self._joined(tag, known, parts)
        return known

    def _joined(self, tag: TagInfo, known: Series | None, parts: list[NDArray[np.void]]) -> Series:
        records = np.concatenate(parts) if parts else np.empty(0, RECORD)
        values: NDArray[Any] = records["value"].astype(np.float64)
        if tag.type == "text":
            values = np.array([self._texts[int(line)] for line in values], dtype=object)
        elif tag.type == "f32":
            values = values.astype(np.float32).astype(np.float64)
        times, statuses = records["step"].astype(np.int64) * STEP_NS, records["status"].astype(np.uint32)
        if known is not None:
            times = np.concatenate((known.times_ns, times))
            values = np.concatenate((known.values, values))
            statuses = np.concatenate((known.statuses, statuses))
        for column in (times, values, statuses):
            column.flags.writeable = False
        return Series(times, values, statuses)

    def refresh(self) -> None:
        """Take in what was written since the last look."""
        for path in record_files(self._folder):
            epoch = path.stem
            if epoch not in self._files:
                self._files[epoch] = (_Grown(path), _Grown(path.with_suffix(".text")))
                self._first_text[epoch] = -1
            records, texts = self._files[epoch]
            # Records first: the text of a record is always in its file before the record is.
            data = records.more()
            self._read_texts(epoch, texts)
            whole = len(data) // RECORD.itemsize
            if whole:
                records.read += whole * RECORD.itemsize
                self._take(np.frombuffer(data, RECORD, whole), max(self._first_text[epoch], 0))

    def _read_texts(self, epoch: str, file: _Grown) -> None:
        data = file.more()
        end = data.rfind(b"\n") + 1
        if not end:
            return
        if self._first_text[epoch] < 0:
            self._first_text[epoch] = len(self._texts)
        file.read += end
        try:
            self._texts += [msgspec.json.decode(line, type=str) for line in data[:end].splitlines()]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AttemptError(
                f"{file.path} holds a line that is not a JSON string: the history was changed."
            ) from error

    def _take(self, records: NDArray[np.void], first_text: int) -> None:
        """Sort new records by tag."""
        is_text = np.isin(records["tag"], self._text_rows)
        if is_text.any():
            records = records.copy()
            records["value"][is_text] += first_text
            records = records[~is_text | (records["value"] < len(self._texts))]  # a text lost in a power cut
        order = np.argsort(records["tag"], kind="stable")
        rows, starts = np.unique(records["tag"][order], return_index=True)
        for row, part in zip(rows.tolist(), np.split(records[order], starts[1:]), strict=True):
            self._parts.setdefault(row, []).append(part)
