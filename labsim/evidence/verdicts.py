"""The verdicts of an attempt: never one over another, each with the signature of whoever marked.

Beside ``verdicts/0002.json`` lies ``verdicts/0002.sig``, one line of JSON that says what the verdict stands on and carries the
public key and, as its last key, ``sig``: a signature as in ``heads.jsonl``. A verdict may come long after the seal, on another
machine; so its key need not be one of the attempt's.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import heads
from labsim.evidence.disk import write_new
from labsim.evidence.key import ALGORITHM, PublicKey, SigningKey
from labsim.evidence.manifest import encode_document, installed_versions, now_iso
from labsim.evidence.seal import SEAL

FOLDER = "verdicts"
DOCUMENT, SIGNATURE = ".json", ".sig"
_log = logging.getLogger(__name__)


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody vouches for who marked an attempt.

    Attributes:
        format: Of this file.
        verdict: The number of the verdict, as in its name.
        sha256: Of the verdict's file.
        head: The head of the journal that was marked.
        seal: SHA-256 of ``seal.json``; "" for a verdict that came before it.
        by: Who marked, if somebody said so.
        why: Why.
        signed: When, UTC.
        versions: What it was marked with.
        key: The 32 bytes of the public key, in hex.
        key_id: SHA-256 of those.
        alg: How it was signed.
        sig: The signature.
    """

    format: Literal["labsim-verdict/1"]
    verdict: str
    sha256: str
    head: str
    seal: str
    by: str
    why: str
    signed: str
    versions: dict[str, str]
    key: str
    key_id: str
    alg: str
    sig: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A verdict as it lies in the folder.

    Attributes:
        number: As in its name.
        signature: What its signature says, if it has one that can be read.
        wrong: Why the signature does not hold; "" when it does, or when there is none.
    """

    number: str
    signature: Signature | None
    wrong: str = ""

    def to_json(self) -> dict[str, Any]:
        """As ``labsim verify --json`` prints it."""
        said = self.signature if not self.wrong else None
        return {
            "verdict": self.number,
            "signed_by": said.key_id if said else None,
            "signed": said.signed if said else None,
            "by": said.by if said else "",
            "why": said.why if said else "",
        }


def save_verdict(folder: Path, document: Mapping[str, Any], key: SigningKey | None = None) -> Path:
    """Write a verdict as ``verdicts/NNNN.json`` under the next free number, never over another; sealed or not.

    Args:
        folder: The attempt folder.
        document: The verdict.
        key: Signs it; a verdict whose key cannot be had is kept unsigned, and the log says so.

    Raises:
        EvidenceError: it cannot be written.
    """
    place = folder / FOLDER
    data = encode_document(document)
    number = max((int(path.stem) for path in place.iterdir() if path.stem.isdecimal()), default=0)
    while True:
        number += 1
        path = place / f"{number:04d}{DOCUMENT}"
        try:
            write_new(path, data)
        except FileExistsError:
            continue  # another grader was quicker
        break
    if key is not None:
        try:
            write_new(path.with_suffix(SIGNATURE), _sign(folder, path.stem, document, data, key))
        except (EvidenceError, FileExistsError) as error:
            _log.warning("verdict %s is not signed: %s", path.stem, error)
    return path


def _sign(folder: Path, number: str, document: Mapping[str, Any], data: bytes, key: SigningKey) -> bytes:
    grading, public = document.get("grading") or {}, key.public
    body = msgspec.json.encode(
        {
            "format": "labsim-verdict/1",
            "verdict": number,
            "sha256": hashlib.sha256(data).hexdigest(),
            "head": document.get("head", ""),
            "seal": _sha256(folder / SEAL),
            "by": grading.get("by", ""),
            "why": grading.get("why", ""),
            "signed": now_iso(),
            "versions": installed_versions() | dict(document.get("versions", {})),
            "key": public.raw.hex(),
            "key_id": public.id,
            "alg": ALGORITHM,
        }
    )
    return heads.signed(body, key) + b"\n"


def read_marked(folder: Path) -> list[Marked]:
    """The verdicts of an attempt in order, each held against its signature; a signature without a verdict among them.

    Raises:
        AttemptError: a file cannot be read.
    """
    place = folder / FOLDER
    names = {path.stem for path in place.glob("*") if path.suffix in (DOCUMENT, SIGNATURE)}
    try:
        return [_marked(folder, place / name) for name in sorted(names)]
    except OSError as error:
        raise AttemptError(f"{error.filename} cannot be read ({error.strerror}): make it readable.") from error


def _marked(folder: Path, stem: Path) -> Marked:
    number, document, path = stem.name, stem.with_suffix(DOCUMENT), stem.with_suffix(SIGNATURE)
    if not path.is_file():
        return Marked(number, None)
    line = path.read_bytes()
    try:
        said = msgspec.json.decode(line, type=Signature)
        key = PublicKey.from_raw(bytes.fromhex(said.key))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        return Marked(number, None, f"is not the signature of a verdict: {error}")
    body, signature = heads.split(line[:-1])
    wrong = ""
    if said.alg != ALGORITHM:
        wrong = f"is made in a way this labsim does not know ({said.alg})"
    elif key.id != said.key_id or not line.endswith(b"\n") or not key.has_signed(body, signature):
        wrong = "was changed after it was signed"
    elif said.verdict != number:
        wrong = f"belongs to verdict {said.verdict}"
    elif not document.is_file():
        wrong = f"is of a verdict that is missing: {document.name} was removed"
    elif said.sha256 != _sha256(document):
        wrong = f"does not hold: {document.name} was changed after it was signed"
    elif said.seal and said.seal != _sha256(folder / SEAL):
        wrong = "was given on another seal than the attempt has"
    return Marked(number, said, wrong)


def _sha256(path: Path) -> str:
    """Of a file, in hex; "" when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
