"""Verification of the journal: does each line follow on the one before?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from labsim.errors import AttemptError
from labsim.evidence import chain
from labsim.evidence.disk import epoch_name
from labsim.evidence.finding import Say
from labsim.evidence.journal import FOLDER, SUFFIX, decode_line, read_epochs


@dataclass(slots=True)
class Followed:
    """What the journal says, up to the first line that does not follow.

    Attributes:
        heads: Hashes in hex: of the manifest, then of each line.
        files: The record that names each kept hand-in file, by SHA-256.
        whole: Whether every line follows.
    """

    heads: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    whole: bool = False

    @property
    def records(self) -> int:
        """How many records follow."""
        return max(len(self.heads) - 1, 0)


def follow(folder: Path, say: Say) -> Followed:
    """Follow the chain of an attempt up to the first line that breaks it.

    Raises:
        AttemptError: a file cannot be read.
    """
    found = Followed()
    if not (folder / "manifest.json").is_file():
        return found
    head, last_t = chain.root(folder), 0
    found.heads.append(head.hex())
    epochs = read_epochs(folder)
    if not epochs:
        say(FOLDER, "holds no journal")
    for expected, epoch in enumerate(epochs, 1):
        name = f"{FOLDER}/{epoch.path.name}"
        if epoch.number != expected:
            say(f"{FOLDER}/{epoch_name(expected, SUFFIX)}", "is missing")
            return found
        for number, line in enumerate(epoch.lines, 1):
            due = len(found.heads)
            follows = chain.open_line(line, head)
            if follows is None:
                say(name, _why_broken(line, due), number)
                return found
            try:
                record = decode_line(line, f"{name}:{number}")
            except AttemptError as error:
                say(name, str(error), number)
                return found
            if record.seq != due:
                say(name, f"has number {record.seq}, {due} is due", number)
            if record.t < last_t:
                say(name, f"happened at t={record.t}, before the line before it", number)
            if record.kind == "file" and record.protocol == "lab" and not record.detail.get("gone"):
                found.files[str(record.detail.get("sha256"))] = record.seq
            head, last_t = follows, record.t
            found.heads.append(head.hex())
        if epoch.torn:
            say(name, f"ends in half a line ({len(epoch.torn)} bytes) that a crash left", note=True)
    found.whole = True
    return found


def _why_broken(line: bytes, due: int) -> str:
    """Why a line does not follow on the one before, as far as the line itself shows it."""
    if not chain.stated(line):
        return "has no hash: the line was changed"
    try:
        seq = decode_line(line, "line").seq
    except AttemptError:
        return "is not a record any more: the line was changed"
    if seq != due:
        return f"has number {seq}, {due} is due: lines before it were removed, added or moved"
    before = "the hash of the line before it" if due > 1 else "manifest.json"
    return f"does not match its hash: this line or {before} was changed"
