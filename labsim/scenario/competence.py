"""The competences that scenarios name: what each means, to which function and level it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labsim.document import read_document
from labsim.text import Text

_FILE = Path(__file__).with_name("competences.yaml")
_LEVELS = {"J": "junior", "I": "intermediate", "S": "senior"}


@dataclass(frozen=True, slots=True)
class Competence:
    """One thing a trainee can do.

    Attributes:
        id: ``NET-J1``: function, level, number.
        level: ``junior``, ``intermediate`` or ``senior``.
        function: Key of `functions`.
        title: What it is.
    """

    id: str
    level: str
    function: str
    title: Text


@cache
def functions() -> dict[str, Text]:
    """The fields of work, by their key, in the order of the framework."""
    return {key: Text.of(title) for key, title in read_document(_FILE).data["functions"].items()}


@cache
def competences() -> dict[str, Competence]:
    """All competences by id, in the order of the framework."""
    found = {}
    for name, title in read_document(_FILE).data["competences"].items():
        function, _, rest = name.partition("-")
        found[name] = Competence(name, _LEVELS[rest[0]], function, Text.of(title))
    return found
