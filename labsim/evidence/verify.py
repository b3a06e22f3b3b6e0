"""Verification of an attempt folder: is it what its host wrote?

Looked at, in this order: the manifest and the files it hashes, the chain of the journal, the signed heads, the kept hand-in
files, the history, the verdicts' heads, the seal. What the chain cannot show is a tail that was cut off before the attempt was
sealed: that shows only against a head that is known from elsewhere, such as a verdict or a signed head.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import chain, handin, history
from labsim.evidence.attempt import SCENARIO, hash_files
from labsim.evidence.disk import PART, epoch_files, epoch_name
from labsim.evidence.journal import FOLDER as JOURNAL
from labsim.evidence.journal import SUFFIX, decode_line, read_epochs
from labsim.evidence.key import PublicKey
from labsim.evidence.manifest import TagInfo, read_manifest, read_tags
from labsim.evidence.signatures import Signatures
from labsim.evidence.verdicts import DOCUMENT, SEAL, SIGNATURE, read_marked
from labsim.evidence.verdicts import FOLDER as VERDICTS


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about an attempt folder.

    Attributes:
        file: Path in the folder, with slashes.
        line: From 1; 0 when it is about the whole file.
        message: What is so.
        note: Worth knowing, but as it may be in an honest attempt.
    """

    file: str
    line: int
    message: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """As ``labsim verify --json`` prints it."""
        return {"file": self.file, "line": self.line, "message": self.message, "note": self.note}


class Seal(msgspec.Struct, forbid_unknown_fields=True):
    """``seal.json``: the hashes of a closed attempt, the number of its last record, and whose key says so (if one does)."""

    format: Literal["labsim-seal/1"]
    seq: int
    sealed: str
    files: dict[str, str]
    h: str
    key_id: str = ""
    alg: str = ""
    sig: str = ""


def ok(findings: list[Finding]) -> bool:
    """Whether the attempt is as its host wrote it: notes do not count."""
    return all(finding.note for finding in findings)


def verify(folder: Path, key: PublicKey | None = None) -> list[Finding]:
    """Everything about an attempt that is not as its host wrote it, and notes on what a crash left; see `examine`."""
    return examine(folder, key)[0]


def examine(folder: Path, key: PublicKey | None = None) -> tuple[list[Finding], list[str]]:
    """What `verify` finds, and the ids of the keys whose signatures hold.

    Args:
        folder: The attempt.
        key: The only key that may have signed it, and has to have: every head, and the seal of a sealed attempt.

    Raises:
        AttemptError: there is no such folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise AttemptError(f"{folder} is not a folder: give the folder of an attempt.")
    try:
        verification = _Verification(folder, key)
        return verification.run(), [*verification.signatures.signers]
    except OSError as error:
        raise AttemptError(
            f"{error.filename or folder} cannot be read ({error.strerror}): make it readable."
        ) from error


@dataclass(slots=True)
class _Chain:
    """What the journal says, up to the first line that does not follow.

    Attributes:
        heads: Hashes in hex: of the manifest, then of each line.
        files: The record that names each kept hand-in file, by SHA-256.
        whole: Whether every line follows.
    """

    heads: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    whole: bool = False


class _Verification:
    def __init__(self, folder: Path, key: PublicKey | None) -> None:
        self._folder = folder
        self._findings: list[Finding] = []
        self.signatures = Signatures(folder, self._say, key)

    def run(self) -> list[Finding]:
        tags = self._manifest()
        journal = self._journal()
        if journal.whole:
            self.signatures.heads(journal.heads)
        self._files(journal)
        self._history(tags)
        self._verdicts(journal)
        self._seal(journal)
        return self._findings

    def _say(self, file: str, message: str, line: int = 0, *, note: bool = False) -> None:
        self._findings.append(Finding(file, line, message, note))

    def _manifest(self) -> list[TagInfo] | None:
        """The manifest's own hashes; gives the tags if they can be read."""
        try:
            manifest = read_manifest(self._folder)
        except AttemptError as error:
            self._say("manifest.json", str(error))
            return None
        there = {f"{SCENARIO}/{name}" for name in _names(self._folder / SCENARIO)}
        stated = {f"{SCENARIO}/{name}": sha256 for name, sha256 in manifest.files.items()} | {
            "tags.json": manifest.tags
        }
        for name, sha256 in stated.items():
            found = _sha256(self._folder / name)
            if found is None:
                self._say(name, "is named in the manifest but missing")
            elif found != sha256:
                self._say(name, "is not the file that the manifest names: it was changed")
        for name in sorted(there - stated.keys()):
            self._say(name, "is not in the manifest: it was added")
        try:
            return read_tags(self._folder)
        except AttemptError as error:
            self._say("tags.json", str(error))
            return None

    def _journal(self) -> _Chain:
        """Follow the chain up to the first line that breaks it."""
        found = _Chain()
        if not (self._folder / "manifest.json").is_file():
            return found
        head, last_t = chain.root(self._folder), 0
        found.heads.append(head.hex())
        epochs = read_epochs(self._folder)
        if not epochs:
            self._say(JOURNAL, "holds no journal")
        for expected, epoch in enumerate(epochs, 1):
            name = f"{JOURNAL}/{epoch.path.name}"
            if epoch.number != expected:
                self._say(f"{JOURNAL}/{epoch_name(expected, SUFFIX)}", "is missing")
                return found
            for number, line in enumerate(epoch.lines, 1):
                due = len(found.heads)
                follows = chain.open_line(line, head)
                if follows is None:
                    self._say(name, _why_broken(line, due), number)
                    return found
                try:
                    record = decode_line(line, f"{name}:{number}")
                except AttemptError as error:
                    self._say(name, str(error), number)
                    return found
                if record.seq != due:
                    self._say(name, f"has number {record.seq}, {due} is due", number)
                if record.t < last_t:
                    self._say(name, f"happened at t={record.t}, before the line before it", number)
                if record.kind == "file" and record.protocol == "lab" and not record.detail.get("gone"):
                    found.files[str(record.detail.get("sha256"))] = record.seq
                head, last_t = follows, record.t
                found.heads.append(head.hex())
            if epoch.torn:
                self._say(name, f"ends in half a line ({len(epoch.torn)} bytes) that a crash left", note=True)
        found.whole = True
        return found

    def _files(self, journal: _Chain) -> None:
        store = self._folder / handin.STORE
        for name in _names(store):
            if name.endswith(PART):
                self._say(f"{handin.STORE}/{name}", "is half a copy that a crash left", note=True)
            elif _sha256(store / name) != name:
                self._say(f"{handin.STORE}/{name}", "does not hold what its name says: it was changed")
            elif journal.whole and name not in journal.files:
                self._say(f"{handin.STORE}/{name}", "is not named in the journal", note=True)
        for name, seq in journal.files.items():
            if not (store / name).is_file():
                self._say(f"{handin.STORE}/{name}", f"is missing: record {seq} names it")

    def _history(self, tags: list[TagInfo] | None) -> None:
        rows = None if tags is None else len(tags)
        text_rows = [tag.row for tag in tags or () if tag.type == "text"]
        last = 0
        twice = {path.name for _, path in epoch_files(self._folder / history.FOLDER, history.OPEN)}
        for path in history.record_files(self._folder):
            name = f"{history.FOLDER}/{path.name}"
            try:
                over = len(history.read_bytes(path)) % history.RECORD.itemsize
                records = history.read_records(path)
            except AttemptError as error:
                self._say(name, str(error))
                continue
            if over:
                self._say(name, f"ends in half a record ({over} bytes) that a crash left", note=True)
            other = path.with_suffix(history.OPEN)
            if path != other and other.name in twice:
                self._twice(other, path)
            steps = records["step"].astype(np.int64)
            back = np.flatnonzero(np.diff(steps, prepend=last) < 0)
            if back.size:
                self._say(name, f"goes back in time at record {back[0] + 1}")
            last = max(last, int(steps[-1])) if steps.size else last
            if rows is not None and (strange := np.flatnonzero(records["tag"] >= rows)).size:
                row = records["tag"][strange[0]]
                self._say(name, f"names tag {row} at record {strange[0] + 1}, but there are only {rows} tags")
            text = path.with_suffix(".text")
            try:
                lines = len(history.read_texts(text))
            except AttemptError as error:
                self._say(f"{history.FOLDER}/{text.name}", str(error))
                continue
            numbers = records["value"][np.isin(records["tag"], text_rows)]
            if not bool(((numbers >= 0) & (numbers < lines) & (numbers == np.floor(numbers))).all()):
                self._say(name, f"names a text that is not among the {lines} lines of {text.name}")

    def _twice(self, plain: Path, packed: Path) -> None:
        """Both forms of an epoch's records: a host died after it had compressed them."""
        name = f"{history.FOLDER}/{plain.name}"
        if history.read_bytes(plain) == history.read_bytes(packed):
            self._say(name, f"stands here still, though {packed.name} holds the same: a crash left it", note=True)
        else:
            self._say(name, f"does not hold what {packed.name} does: one of the two was changed")

    def _verdicts(self, journal: _Chain) -> None:
        """A verdict says which head it was given for: a journal that never had it was cut. Its signature says the same."""
        heads = set(journal.heads)
        for marked in read_marked(self._folder):
            name, said = f"{VERDICTS}/{marked.number}{SIGNATURE}", marked.signature
            if marked.wrong:
                self._say(name, marked.wrong)
            elif said is not None and journal.whole and said.head and said.head not in heads:
                self._say(name, f"was given for the head {said.head[:16]}…, which the journal does not have")
        for name in _names(self._folder / VERDICTS):
            if not journal.whole or name.endswith(SIGNATURE):
                continue
            try:
                document = msgspec.json.decode((self._folder / VERDICTS / name).read_bytes())
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._say(f"{VERDICTS}/{name}", "is not JSON")
                continue
            head = document.get("head") if isinstance(document, dict) else None
            if isinstance(head, str) and head not in heads:
                self._say(f"{VERDICTS}/{name}", f"was given for the head {head[:16]}…, which the journal does not have")

    def _seal(self, journal: _Chain) -> None:
        path = self._folder / SEAL
        if not path.is_file():
            last = self.signatures.last
            if last is not None and last.why == "seal":
                self._say(
                    SEAL,
                    "is missing, though the last signed head was made for it: it was removed, or the host died in that "
                    "moment; then resume the attempt and close it",
                )
            else:
                self._say(SEAL, "is missing: the attempt was not sealed", note=True)
            return
        data = path.read_bytes()
        try:
            seal = msgspec.json.decode(data, type=Seal)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._say(SEAL, f"is not a seal: {error}")
            return
        if journal.whole:
            head, count = bytes.fromhex(journal.heads[-1]), len(journal.heads) - 1
            if not data.endswith(b"\n") or chain.open_line(data[:-1], head) is None:
                self._say(SEAL, "does not follow on the journal's head: the seal or the end of the journal was changed")
            if seal.seq != count:
                self._say(SEAL, f"was set on {seal.seq} records, the journal has {count}")
        if wrong := self.signatures.seal(chain.without_hash(data.rstrip(b"\n")), seal.key_id, seal.alg):
            self._say(SEAL, wrong)
        try:
            found = hash_files(self._folder)
        except EvidenceError as error:
            self._say(SEAL, str(error))
            return
        for name, sha256 in seal.files.items():
            if name not in found:
                self._say(name, "was sealed but is missing")
            elif found[name] != sha256:
                self._say(name, "was changed after the seal")
        for name in sorted(found.keys() - seal.files.keys()):
            later, signature = name.startswith(f"{VERDICTS}/"), f"{name.removesuffix(DOCUMENT)}{SIGNATURE}"
            if not later:
                self._say(name, "was added after the seal")
            elif name.endswith(DOCUMENT):
                unsigned = "" if signature in found else ", and nobody signed it"
                self._say(name, f"was given after the seal{unsigned}", note=True)
            elif not name.endswith(SIGNATURE):
                self._say(name, "is neither a verdict nor a signature of one")


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


def _names(folder: Path) -> list[str]:
    """Files below a folder by their path with slashes, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
