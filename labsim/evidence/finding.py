"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about an attempt folder.

    Attributes:
        file: Path in the folder, with slashes.
        line: From 1; 0 when it is about the whole file.
        message: What is so.
        note: Worth knowing, but as it may be in an honest attempt.
    """

    file: str
    line: int
    message: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """As ``labsim verify --json`` prints it."""
        return {"file": self.file, "line": self.line, "message": self.message, "note": self.note}


class Say(Protocol):
    """Takes in a finding; its parts are those of `Finding`."""

    def __call__(self, file: str, message: str, line: int = 0, *, note: bool = False) -> None:
        """Take it in."""
        ...
