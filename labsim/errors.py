"""The tree of errors labsim raises on purpose.

::

    LabsimError                 a sentence for a person: what, where, what to do
    ├── InputError              what was given cannot be used (exit code 2)
    │   ├── ScenarioError       a YAML file has problems, all of them listed
    │   ├── UnknownNameError    a name that nothing has, with the nearest that exist
    │   └── AttemptError        an attempt folder that cannot be read or written to
    ├── EndpointError           a server cannot listen or cannot go on (exit code 2)
    ├── EvidenceError           an event could not be kept (the lab stops; exit code 2)
    │   └── DiskError           the disk takes nothing just now (the lab waits for it)
    └── ControlError            the host did not answer or refused (exit code 2)

Everything else that escapes is a bug of ours (exit code 3). Every class can be rebuilt from its
``args``, because SimPy and process pools re-create exceptions that way.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class LabsimError(Exception):
    """Base of all errors whose text is meant for the person at the keyboard."""

    exit_code = 2


class InputError(LabsimError):
    """What was given cannot be used: a file, an option, a value."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where it is, what it is, how to mend it. Line and column count from 1; 0 is unknown."""

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}" + (f" {self.hint}" if self.hint else "")

    def to_json(self) -> dict[str, str | int]:
        """The shape ``labsim lint --json`` prints."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }


class ScenarioError(InputError):
    """One or more problems in a YAML file; ``args[0]`` is the tuple of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class UnknownNameError(InputError):
    """A name that nothing has; says which kind, and what is near."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(kind, name, self.known)

    def __str__(self) -> str:
        return f"there is no {self.kind} {self.name!r}. {did_you_mean(self.name, self.known)}".strip()


class AttemptError(InputError):
    """An attempt folder that is missing, incomplete, or held by another host."""


class EndpointError(LabsimError):
    """A protocol server cannot start or cannot go on; names the address."""


class EvidenceError(LabsimError):
    """An event could not be kept, so nothing may go on; names the file."""


class DiskError(EvidenceError):
    """The disk takes nothing just now (full, read-only): nothing of it is kept, and it may be tried again.

    Attributes:
        place: The file that could not be written.
        reason: What the operating system says.
    """

    def __init__(self, place: str, reason: str | None) -> None:
        self.place, self.reason = place, reason or "unknown reason"
        super().__init__(
            f"{place} could not be written ({self.reason}): free space on that disk or make the folder writable."
        )


class ControlError(LabsimError):
    """The host's control API did not answer or refused."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest spelling, or with all names when there are few; empty when nothing helps."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, 1, 0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if 0 < len(names) <= 12 else ""
