"""The seal of an attempt: the hashes of all its files, and the end of its chain."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from labsim.errors import EvidenceError
from labsim.evidence import handin, lock
from labsim.evidence.chain import close_line
from labsim.evidence.disk import PART, write_whole
from labsim.evidence.heads import Heads
from labsim.evidence.manifest import now_iso

SEAL, CONTROL = "seal.json", "control.json"
PKI = "pki"
UNSEALED = (handin.FOLDER, PKI, CONTROL, lock.NAME, SEAL)
"""Names in the folder that the seal does not cover: the trainee's, a running host's, its own."""


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


def write_seal(folder: Path, seq: int, head: str, heads: Heads | None) -> None:
    """Seal an attempt whose files are closed.

    Args:
        folder: The attempt folder.
        seq: Number of the last record.
        head: Its hash in hex.
        heads: Signs the seal.

    Raises:
        EvidenceError: it cannot be written, or a file cannot be read.
    """
    body = msgspec.json.encode(
        {"format": "labsim-seal/1", "seq": seq, "sealed": now_iso(), "files": hash_files(folder)}
    )
    if heads is not None:
        with suppress(EvidenceError):  # no key: verification says that nobody signed
            body = heads.seal(body)
    write_whole(folder / SEAL, close_line(body, bytes.fromhex(head))[0])


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file the seal covers, by its path with slashes, in order.

    Raises:
        EvidenceError: one cannot be read.
    """
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name.parts[0] in UNSEALED or path.is_dir() or path.name.endswith(PART):
            continue
        try:
            with path.open("rb") as file:
                hashes[name.as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise EvidenceError(
                f"{path} cannot be read ({error.strerror}): make it readable and seal again."
            ) from error
    return hashes
