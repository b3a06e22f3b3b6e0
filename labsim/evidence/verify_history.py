"""Verification of the history: does it run forward, over tags and texts that there are?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labsim.errors import AttemptError
from labsim.evidence.disk import epoch_files
from labsim.evidence.finding import Say
from labsim.evidence.history_file import FOLDER, OPEN, RECORD, read_bytes, read_records, read_texts, record_files
from labsim.evidence.manifest import TagInfo


def verify_history(folder: Path, tags: Sequence[TagInfo] | None, say: Say) -> None:
    """Say what is wrong with the history of an attempt.

    Args:
        folder: The attempt folder.
        tags: In the order of their rows; None when they cannot be read.
        say: Takes in what is found.
    """
    rows = None if tags is None else len(tags)
    text_rows = [tag.row for tag in tags or () if tag.type == "text"]
    last = 0
    twice = {path.name for _, path in epoch_files(folder / FOLDER, OPEN)}
    for path in record_files(folder):
        name = f"{FOLDER}/{path.name}"
        try:
            over = len(read_bytes(path)) % RECORD.itemsize
            records = read_records(path)
        except AttemptError as error:
            say(name, str(error))
            continue
        if over:
            say(name, f"ends in half a record ({over} bytes) that a crash left", note=True)
        other = path.with_suffix(OPEN)
        if path != other and other.name in twice:
            _twice(other, path, say)
        steps = records["step"].astype(np.int64)
        back = np.flatnonzero(np.diff(steps, prepend=last) < 0)
        if back.size:
            say(name, f"goes back in time at record {back[0] + 1}")
        last = max(last, int(steps[-1])) if steps.size else last
        if rows is not None and (strange := np.flatnonzero(records["tag"] >= rows)).size:
            row = records["tag"][strange[0]]
            say(name, f"names tag {row} at record {strange[0] + 1}, but there are only {rows} tags")
        text = path.with_suffix(".text")
        try:
            lines = len(read_texts(text))
        except AttemptError as error:
            say(f"{FOLDER}/{text.name}", str(error))
            continue
        numbers = records["value"][np.isin(records["tag"], text_rows)]
        if not bool(((numbers >= 0) & (numbers < lines) & (numbers == np.floor(numbers))).all()):
            say(name, f"names a text that is not among the {lines} lines of {text.name}")


def _twice(plain: Path, packed: Path, say: Say) -> None:
    """Both forms of an epoch's records: a host died after it had compressed them."""
    name = f"{FOLDER}/{plain.name}"
    if read_bytes(plain) == read_bytes(packed):
        say(name, f"stands here still, though {packed.name} holds the same: a crash left it", note=True)
    else:
        say(name, f"does not hold what {packed.name} does: one of the two was changed")
