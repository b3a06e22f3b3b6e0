"""The folder of an attempt as it is begun: its own copy of the scenario, its tags and, last, its manifest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from labsim.errors import AttemptError
from labsim.evidence import handin, lock, verdicts
from labsim.evidence.disk import write_new, write_whole
from labsim.evidence.manifest import Manifest, TagInfo, encode_document, encode_tags
from labsim.evidence.seal import CONTROL

SCENARIO = "scenario"
_BEFORE = {handin.FOLDER, CONTROL, lock.NAME}


def make(folder: Path) -> None:
    """Make a folder, with its parents, unless it is there and empty (a ``handin/`` may be in it).

    Raises:
        AttemptError: it holds something else.
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if {path.name for path in folder.iterdir()} - _BEFORE:
        raise AttemptError(f"{folder} is not empty: name a new folder, or resume the attempt that is in it.")


def lay_out(folder: Path, manifest: Manifest, tags: Sequence[TagInfo], scenario_files: Mapping[str, bytes]) -> Manifest:
    """Fill a folder that was made; the manifest with the hashes of what is in it.

    Args:
        folder: The folder.
        manifest: Its ``files`` and ``tags`` hashes are filled in here.
        tags: In the order of their rows.
        scenario_files: Content by path below ``scenario/``, with slashes.

    Raises:
        AttemptError: a path leads out of it.
        OSError: the disk takes nothing.
    """
    for name in (handin.FOLDER, handin.STORE, SCENARIO, verdicts.FOLDER):
        (folder / name).mkdir(exist_ok=True)
    for name, data in scenario_files.items():
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or re.search(r'[\\:*?"<>|]', name):
            raise AttemptError(f"scenario file {name!r} is not a path inside the scenario: rename it.")
        (folder / SCENARIO / inside).parent.mkdir(parents=True, exist_ok=True)
        write_new(folder / SCENARIO / inside, data)
    listing = encode_tags(tags)
    write_new(folder / "tags.json", listing)
    whole: Manifest = msgspec.structs.replace(
        manifest,
        files={name: hashlib.sha256(data).hexdigest() for name, data in scenario_files.items()},
        tags=hashlib.sha256(listing).hexdigest(),
    )
    # Last, and at once: a folder with a manifest is a whole one.
    write_whole(folder / "manifest.json", encode_document(whole))
    return whole
