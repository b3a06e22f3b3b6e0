"""The hash chain of the journal: how a line carries its hash, and how that is checked.

A line is a JSON object whose last key is ``h``. Its hash is SHA-256 over the 32 bytes of the hash before it, followed by
the line's bytes without ``,"h":"<64 hex digits>"`` and without the newline, but with the closing brace. The first line of
an attempt follows on the SHA-256 of ``manifest.json``, which itself holds the hashes of the scenario and of ``tags.json``:
so the last hash, the *head*, stands for everything before it. Nothing is parsed to check a line; any language can do it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from labsim.errors import AttemptError

_KEY = b',"h":"'
_TAIL = len(_KEY) + 64 + len(b'"}')


def root(folder: Path) -> bytes:
    """The hash that the first line of an attempt follows on: SHA-256 of its ``manifest.json``.

    Raises:
        AttemptError: the folder has no manifest.
    """
    try:
        return hashlib.sha256((folder / "manifest.json").read_bytes()).digest()
    except OSError as error:
        raise AttemptError(
            f"{folder / 'manifest.json'} cannot be read ({error.strerror}): give the folder of an attempt."
        ) from error


def close_line(body: bytes, previous: bytes) -> tuple[bytes, bytes]:
    """The line (with newline) for a JSON object ``body``, and its hash."""
    digest = hashlib.sha256(previous + body).digest()
    return b'%b,"h":"%b"}\n' % (body[:-1], digest.hex().encode()), digest


def open_line(line: bytes, previous: bytes) -> bytes | None:
    """The hash of a line (without newline), or None when the line does not follow on ``previous``."""
    digest = hashlib.sha256(previous + line[:-_TAIL] + b"}").digest()
    return digest if line.endswith(_KEY + digest.hex().encode() + b'"}') else None


def without_hash(line: bytes) -> bytes:
    """The JSON object of a line (without newline) as it was before its hash was put in."""
    return line[:-_TAIL] + b"}"


def stated(line: bytes) -> str:
    """The hash that a line (without newline) says it has, in hex; empty when it says none."""
    return line[-66:-2].decode("ascii", "replace") if line[-_TAIL:-66] == _KEY and line.endswith(b'"}') else ""


def follow(lines: Iterable[bytes], previous: bytes) -> tuple[int, bytes]:
    """How many of ``lines`` follow on one another, beginning at ``previous``, and the hash of the last that does."""
    count = 0
    for line in lines:
        digest = open_line(line, previous)
        if digest is None:
            break
        previous = digest
        count += 1
    return count, previous
