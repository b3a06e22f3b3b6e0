"""Verification of an attempt folder: is it what its host wrote?

Looked at, in this order: the manifest and the files it hashes, the chain of the journal, the signed heads, the kept hand-in
files, the history, the verdicts' heads, the seal. What the chain cannot show is a tail that was cut off before the attempt was
sealed: that shows only against a head that is known from elsewhere, such as a verdict or a signed head.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from labsim.errors import AttemptError
from labsim.evidence import handin
from labsim.evidence.disk import PART
from labsim.evidence.finding import Finding
from labsim.evidence.folder import SCENARIO
from labsim.evidence.key import PublicKey
from labsim.evidence.manifest import Manifest, TagInfo, read_manifest, read_tags
from labsim.evidence.signatures import Signatures
from labsim.evidence.verdicts import FOLDER as VERDICTS
from labsim.evidence.verdicts import SIGNATURE, read_marked
from labsim.evidence.verify_history import verify_history
from labsim.evidence.verify_journal import Followed, follow
from labsim.evidence.verify_seal import verify_seal


def ok(findings: list[Finding]) -> bool:
    """Whether the attempt is as its host wrote it: notes do not count."""
    return all(finding.note for finding in findings)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification comes to.

    Attributes:
        findings: Everything that is not as the host wrote it, and notes on what a crash left.
        signers: Ids of the keys whose signatures hold.
        records: Records of the journal, up to the first that does not follow on the one before.
        begun: When the attempt was begun, as its manifest says: UTC, ISO 8601; None when that cannot be read.
        sealed: When it was sealed, as its seal says; None when it was not, or that cannot be read.
    """

    findings: list[Finding]
    signers: list[str]
    records: int
    begun: str | None
    sealed: str | None


def verify(folder: Path, key: PublicKey | None = None) -> list[Finding]:
    """Everything about an attempt that is not as its host wrote it, and notes on what a crash left; see `examine`."""
    return examine(folder, key).findings


def examine(folder: Path, key: PublicKey | None = None) -> Verified:
    """Verify an attempt.

    Args:
        folder: The attempt.
        key: The only key that may have signed it, and has to have: every head, and the seal of a sealed attempt.

    Raises:
        AttemptError: there is no such folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise AttemptError(f"{folder} is not a folder: give the folder of an attempt.")
    try:
        return _Verification(folder, key).run()
    except OSError as error:
        raise AttemptError(
            f"{error.filename or folder} cannot be read ({error.strerror}): make it readable."
        ) from error


class _Verification:
    def __init__(self, folder: Path, key: PublicKey | None) -> None:
        self._folder = folder
        self._findings: list[Finding] = []
        self._signatures = Signatures(folder, self._say, key)

    def run(self) -> Verified:
        manifest = self._manifest()
        tags = self._tags() if manifest is not None else None
        journal = follow(self._folder, self._say)
        if journal.whole:
            self._signatures.heads(journal.heads)
        self._files(journal)
        verify_history(self._folder, tags, self._say)
        self._verdicts(journal)
        seal = verify_seal(self._folder, journal, self._signatures, self._say)
        return Verified(
            findings=self._findings,
            signers=[*self._signatures.signers],
            records=journal.records,
            begun=manifest.created if manifest is not None else None,
            sealed=seal.sealed if seal is not None else None,
        )

    def _say(self, file: str, message: str, line: int = 0, *, note: bool = False) -> None:
        self._findings.append(Finding(file, line, message, note))

    def _manifest(self) -> Manifest | None:
        """The manifest, held against the files whose hashes it has; None when it cannot be read."""
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
        return manifest

    def _tags(self) -> list[TagInfo] | None:
        try:
            return read_tags(self._folder)
        except AttemptError as error:
            self._say("tags.json", str(error))
            return None

    def _files(self, journal: Followed) -> None:
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

    def _verdicts(self, journal: Followed) -> None:
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


def _names(folder: Path) -> list[str]:
    """Files below a folder by their path with slashes, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
