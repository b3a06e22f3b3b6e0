"""Field types for check parameters that name a part of the plant, so that the loader can judge them where they stand."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field


class Names:
    """Marks a string field as a name; ``kind`` is ``device`` or ``tag``. The loader looks for it in a model's fields."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


DevicePath = Annotated[str, Names("device"), Field(min_length=1)]
"""Path of a device in the scenario's plant, such as ``meter1``."""

TagPath = Annotated[str, Names("tag"), Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""Path of a tag, such as ``meter1.voltage_l1``."""
