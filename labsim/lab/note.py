"""How parts of a lab have their events kept."""

from __future__ import annotations

from typing import Any, Protocol


class Note(Protocol):
    """Keeps an event of the lab itself."""

    def __call__(self, kind: str, **fields: Any) -> None:
        """Keep it; raises EvidenceError when that cannot be done."""
        ...
