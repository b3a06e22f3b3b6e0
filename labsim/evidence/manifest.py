"""What an attempt is about: the manifest and the list of its tags."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import msgspec

import labsim
from labsim.errors import AttemptError

_LIBRARIES = ("numpy", "simpy", "asyncua", "pymodbus")
TAGS_MAX = 65_536
"""Rows that a history record can name (an unsigned 16-bit number)."""


class Nameplate(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on a device: drawn for the seat where a type draws it."""

    type: str
    manufacturer: str
    model: str
    revision: str
    serial: str
    hardware_revision: str = ""
    device_revision: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json``: everything about an attempt that never changes once it began.

    Attributes:
        format: Of the whole folder.
        attempt: Unique id of this attempt.
        scenario: Scenario id.
        title: Of the scenario, by language.
        seed: Drew the variants and drives the plant.
        variants: What was drawn.
        speed: Simulated seconds per wall second.
        lang: The trainee's language.
        utc_origin_ns: The UTC time that plant time 0 stands for, in nanoseconds.
        created: UTC, ISO 8601.
        versions: Of Python, labsim and the libraries behind the plant and its protocols.
        devices: Nameplates of the plant's devices by path.
        files: SHA-256 of each file of ``scenario/`` by its path in there; `Attempt.create` fills it in.
        tags: SHA-256 of ``tags.json``; `Attempt.create` fills it in.
    """

    format: Literal["labsim-attempt/1"]
    attempt: str
    scenario: str
    title: dict[str, str]
    seed: str
    variants: dict[str, int | float | str]
    speed: float
    lang: str
    utc_origin_ns: int
    created: str
    versions: dict[str, str]
    files: dict[str, str]
    tags: str
    devices: dict[str, Nameplate] = {}

    @classmethod
    def new(
        cls,
        *,
        scenario: str,
        title: Mapping[str, str],
        seed: str,
        variants: Mapping[str, int | float | str],
        speed: float,
        lang: str,
        utc_origin_ns: int,
        devices: Mapping[str, Nameplate] | None = None,
    ) -> Manifest:
        """The manifest of an attempt that begins now, with the versions installed here."""
        return cls(
            format="labsim-attempt/1",
            attempt=uuid.uuid4().hex,
            scenario=scenario,
            title=dict(title),
            seed=seed,
            variants=dict(variants),
            speed=speed,
            lang=lang,
            utc_origin_ns=utc_origin_ns,
            created=now_iso(),
            versions=installed_versions(),
            files={},
            tags="",
            devices=dict(devices or {}),
        )


class TagInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``tags.json``: what a row of the history is.

    Attributes:
        row: The number that history records name it by.
        path: ``device.name``.
        device: Path of the device.
        name: Name inside the device.
        type: A tag type of the plant: bool, i8 … u64, f32, f64 or text.
        unit: Symbol of the engineering unit, or None.
        low: Lower end of the engineering range, or None.
        high: Upper end of the engineering range, or None.
        labels: Names of an enumeration's values, by value and language.
        graded: Whether a check of the scenario is about it.
    """

    row: int
    path: str
    device: str
    name: str
    type: str
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    labels: dict[int, dict[str, str]] = {}
    graded: bool = False


def now_iso() -> str:
    """The wall clock's UTC time to the second: ``2026-03-01T08:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def installed_versions() -> dict[str, str]:
    """Versions of what an attempt's outcome can depend on; a library that is not installed is left out."""
    versions = {"python": platform.python_version(), "labsim": labsim.__version__}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def encode_document(document: Any) -> bytes:
    """A JSON document as attempt folders hold it: indented, UTF-8, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def encode_tags(tags: Sequence[TagInfo]) -> bytes:
    """``tags.json``: one tag a line.

    Raises:
        AttemptError: more tags than a history can name.
    """
    if len(tags) > TAGS_MAX:
        raise AttemptError(f"the plant has {len(tags)} tags, an attempt can hold {TAGS_MAX}: take devices away.")
    assert [tag.row for tag in tags] == list(range(len(tags))), "rows count from 0"
    return b"[\n" + b",\n".join(msgspec.json.encode(tag) for tag in tags) + b"\n]\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an attempt.

    Raises:
        AttemptError: it is missing or not a manifest of this format.
    """
    return msgspec.convert(_read(folder / "manifest.json", Manifest), Manifest)


def read_tags(folder: Path) -> list[TagInfo]:
    """The tags of an attempt, in the order of their rows.

    Raises:
        AttemptError: ``tags.json`` is missing or not a list of tags.
    """
    tags: list[TagInfo] = _read(folder / "tags.json", list[TagInfo])
    if [tag.row for tag in tags] != list(range(len(tags))):
        raise AttemptError(f"{folder / 'tags.json'}: the rows do not count from 0: the file was changed.")
    return tags


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise AttemptError(f"{path} cannot be read ({error.strerror}): give the folder of an attempt.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AttemptError(
            f"{path}: {error}: the file is damaged or not of an attempt this labsim can read."
        ) from error
