"""Signed heads: who vouches for the journal up to where, once a minute and whenever a host closes it.

``heads.jsonl`` has one JSON object a line. Its last key is ``sig``, an Ed25519 signature in hex over the line's bytes without
``,"sig":"…"`` and without the newline, but with the closing brace. ``h`` is the hash of the record with number ``seq``, which
stands for everything before it, the manifest included; so nobody without the key can change what a head covers.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from labsim.errors import EvidenceError
from labsim.evidence.disk import AppendFile, write_whole
from labsim.evidence.key import ALGORITHM, PublicKey, SigningKey

NAME = "heads.jsonl"
KEYS = "keys"
EVERY_NS = 60_000_000_000
Why = Literal["minute", "close", "seal"]
_KEY = b',"sig":"'
_SIGNATURE = 128  # hex digits
_log = logging.getLogger(__name__)


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of ``heads.jsonl``.

    Attributes:
        epoch: The host that signed, as the journal counts them.
        seq: Number of the last record that it covers.
        h: That record's hash, in hex.
        t: Its plant time.
        w: Wall time of the signature, UTC nanoseconds.
        why: A minute was over, the host closed the journal, or it is about to seal the attempt.
        key_id: SHA-256 of the public key, in hex.
        alg: How it was signed.
        sig: The signature.
    """

    epoch: int
    seq: int
    h: str
    t: int
    w: int
    why: Why
    key_id: str
    alg: str
    sig: str


class Heads:
    """Signs the heads of one epoch.

    A head that cannot be written or signed is told in the log and left out: a later one covers the same, and the lab must not
    stop for it.

    Args:
        folder: The attempt folder.
        epoch: The journal's epoch.
        key: Signs; it is loaded when the first head is due.

    Attributes:
        due_ns: Monotonic time at which the next head is due.
        signer: The thread that signed last.
    """

    def __init__(self, folder: Path, epoch: int, key: SigningKey) -> None:
        self._folder, self._epoch, self._key = folder, epoch, key
        self._file: AppendFile | None = None
        self._end = 0
        self._signed = 0  # number of the record of the last head
        self._busy = threading.Lock()
        self._closed = False
        self.signer: threading.Thread | None = None
        self.due_ns = time.monotonic_ns() + EVERY_NS

    def sign_soon(self, seq: int, t: int, h: str) -> None:
        """Sign a head in a thread of its own: the first one loads a library and a key, for which no client shall wait."""
        self.due_ns = time.monotonic_ns() + EVERY_NS
        if self.signer is None or not self.signer.is_alive():
            self.signer = threading.Thread(
                target=self.sign, args=(seq, t, h, "minute"), name="labsim-sign", daemon=True
            )
            self.signer.start()

    def sign(self, seq: int, t: int, h: str, why: Why) -> None:
        """Sign a head, unless nothing has happened since the last one or a later one was signed meanwhile."""
        with self._busy:
            if seq and not self._closed and (why != "minute" or seq > self._signed):
                self._write(seq, t, h, why)

    def _write(self, seq: int, t: int, h: str, why: Why) -> None:
        try:
            public = self._key.public
            line = self._line(seq, t, h, why, public)
            if self._file is None:
                self._open(public)
            assert self._file is not None
            self._end = self._file.append(line, self._end)
        except EvidenceError as error:
            _log.warning("the head of record %d is not signed: %s", seq, error)
        else:
            self._signed = seq

    def _line(self, seq: int, t: int, h: str, why: Why, public: PublicKey) -> bytes:
        head = {
            "epoch": self._epoch, "seq": seq, "h": h, "t": t, "w": time.time_ns(), "why": why,
            "key_id": public.id, "alg": ALGORITHM,
        }  # fmt: skip
        return signed(msgspec.json.encode(head), self._key) + b"\n"

    def _open(self, public: PublicKey) -> None:
        """The file, at its last whole line, and the public key beside it."""
        place = self._folder / KEYS / f"{public.id}.pem"
        try:
            place.parent.mkdir(exist_ok=True)
            if not place.exists():
                write_whole(place, public.pem)
            path = self._folder / NAME
            self._end = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        except OSError as error:
            raise EvidenceError(f"{self._folder / NAME} cannot be opened ({error.strerror}).") from error
        self._file = AppendFile(path, go_on=path.exists())

    def seal(self, body: bytes) -> bytes:
        """A JSON object with the key's id and its signature over all of it."""
        named = msgspec.json.encode({"key_id": self._key.public.id, "alg": ALGORITHM})
        return signed(body[:-1] + b"," + named[1:], self._key)

    def close(self) -> None:
        """Sync and close; what is signed afterwards is not written."""
        with self._busy:
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None


def signed(body: bytes, key: SigningKey) -> bytes:
    """A JSON object with a signature over its bytes as its last key."""
    return body[:-1] + _KEY + key.sign(body).encode() + b'"}'


def split(line: bytes) -> tuple[bytes, str]:
    """What was signed of a JSON object, and the signature; the whole and "" when it carries none."""
    at = len(line) - len(_KEY) - _SIGNATURE - 2
    if at < 1 or line[at : at + len(_KEY)] != _KEY or not line.endswith(b'"}'):
        return line, ""
    return line[:at] + b"}", line[at + len(_KEY) : -2].decode("ascii", "replace")


def read_keys(folder: Path) -> dict[str, PublicKey]:
    """The public keys that an attempt carries, by the id that a file's name says.

    Raises:
        EvidenceError: one is no key.
    """
    return {path.stem: PublicKey.read(path) for path in sorted((folder / KEYS).glob("*.pem"))}
