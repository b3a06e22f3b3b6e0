"""The plant of a scenario as its author writes it: devices, where they stand, and the people at them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from labsim.scenario.part import Id, Part, Path_
from labsim.scenario.topics import Place
from labsim.text import Text

Crew = Annotated[int, Field(ge=1, le=100, strict=True)]
"""How many operators the plant has."""
Include = Annotated[str, Field(min_length=1, max_length=200, examples=["pack", "plants/my-line.yaml"])]
"""A ready plant by its name, or a file of one by its path from the scenario."""


class PlantDevice(Part):
    """One device of the plant. ``place`` is where it stands: up to five levels from enterprise to cell.

    ``sensors`` are stages of the sensor chains of its tags that are other than in its interface; see ``docs/faults.md``.

    Attributes:
        type: The device type (see ``labsim devices``).
        title: What it is called here, instead of its type's title.
        place: Where it stands in the equipment hierarchy: up to five levels, such as ``acme/hk1/assembly``.
        settings: Settings by name (see ``labsim manual TYPE``); what is set here the trainee cannot change.
        sensors: Stages of sensor chains by tag, other than in its interface; see docs/faults.md.
    """

    type: Id
    title: Text | None = None
    place: Place | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    sensors: dict[Path_, dict[str, Any]] = Field(default_factory=dict)
