"""Whose key vouches for an attempt: the signed heads and the signed seal, held against the journal's chain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from labsim.errors import EvidenceError
from labsim.evidence import heads
from labsim.evidence.finding import Say
from labsim.evidence.heads import Head
from labsim.evidence.key import ALGORITHM, PublicKey


class Signatures:
    """The signatures of one attempt, as they were when this was made: before the journal is read, if a host still writes.

    Args:
        folder: The attempt folder.
        say: Is told what is wrong.
        pinned: The only key that may have signed, and has to have.

    Attributes:
        signers: Ids of the keys that have signed something that holds, in order.
        last: The last head, when all of them hold.
    """

    def __init__(self, folder: Path, say: Say, pinned: PublicKey | None = None) -> None:
        self._folder, self._say, self._pinned = folder, say, pinned
        self.signers: dict[str, None] = {}
        self.last: Head | None = None
        self._keys = self._read_keys()
        path = folder / heads.NAME
        self._heads = path.read_bytes() if path.is_file() else None

    def _read_keys(self) -> dict[str, PublicKey]:
        try:
            keys = heads.read_keys(self._folder)
        except EvidenceError as error:
            self._say(heads.KEYS, str(error), 0)
            return {}
        for name, key in keys.items():
            if key.id != name:
                self._say(f"{heads.KEYS}/{name}.pem", "is not the key that its name says: it was changed", 0)
        return {name: key for name, key in keys.items() if key.id == name}

    def heads(self, chain: Sequence[str]) -> None:
        """Hold every head against the journal.

        Args:
            chain: Hashes of the journal in hex by record number; the manifest's at 0.
        """
        data = self._heads
        if data is None:
            if self._pinned is not None:
                self._say(heads.NAME, "is missing: nobody signed this attempt while it ran", 0)
            return
        lines = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]  # half a line is what a crash left
        before: Head | None = None
        for number, line in enumerate(lines, 1):
            wrong, head = self._judge(line, before, chain)
            if head is None or wrong:
                self._say(heads.NAME, wrong, number)
                return
            self.signers[head.key_id] = None
            before = head
        self.last = before

    def _judge(self, line: bytes, before: Head | None, chain: Sequence[str]) -> tuple[str, Head | None]:
        """What is wrong with a head, and the head; a line that cannot be read gives none."""
        try:
            head = msgspec.json.decode(line, type=Head)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return f"is not a signed head: {error}", None
        body, signature = heads.split(line)
        if wrong := self._why_not(head.key_id, head.alg, body, signature):
            return wrong, head
        if before is not None and (head.seq < before.seq or head.epoch < before.epoch):
            return "is older than the line before it: lines were moved", head
        if not 0 < head.seq < len(chain):
            return f"vouches for record {head.seq}, which the journal does not have: its end was cut off", head
        if chain[head.seq] != head.h:
            return f"vouches for another record {head.seq} than the journal has", head
        return "", head

    def seal(self, data: bytes, key_id: str, alg: str) -> str:
        """What is wrong with the signature of a seal's line without its hash; "" when it holds."""
        if not key_id:
            return "is not signed" if self._pinned is not None or self.signers else ""
        body, signature = heads.split(data)
        wrong = self._why_not(key_id, alg, body, signature)
        if not wrong:
            self.signers[key_id] = None
        return wrong

    def _why_not(self, key_id: str, alg: str, body: bytes, signature: str) -> str:
        if alg != ALGORITHM:
            return f"is signed in a way this labsim does not know ({alg})"
        if self._pinned is not None and key_id != self._pinned.id:
            return f"is signed by the key {key_id[:16]}…, not by the one that was given"
        key = self._pinned or self._keys.get(key_id)
        if key is None:
            return f"is signed by the key {key_id[:16]}…, which the attempt does not carry"
        return "" if key.has_signed(body, signature) else "was changed after it was signed"
