"""Files that a command writes because somebody named them: the verdict in other programs' formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labsim.errors import InputError


def export(attempt: Path, verdict: Mapping[str, Any], lang: str, junit: Path | None, csv: Path | None) -> None:
    """Write a verdict as JUnit XML and as CSV, each where it is wanted.

    Raises:
        InputError: a file cannot be written.
    """
    if junit is not None:
        from labsim.evidence.evidence import Evidence
        from labsim.report.junit import junit as as_junit

        write(junit, as_junit(verdict, Evidence.load(attempt), lang))
    if csv is not None:
        from labsim.report.table import table

        write(csv, table(verdict))


def write(path: Path, data: bytes) -> None:
    """Write a file that somebody asked for.

    Raises:
        InputError: it cannot be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
