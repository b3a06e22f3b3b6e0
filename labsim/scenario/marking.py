"""How a check counts: over which time it is judged, and what a share of it earns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from labsim.quantity import Duration, Share
from labsim.scenario.part import Part


class Window(Part):
    """A stretch of plant time: what happened outside it does not count.

    With ``after`` its times are counted from the first beginning of a fault of that target (``endpoint.opcua``,
    ``link.mqtt``, ``meter1``); before that there is nothing to judge.
    """

    from_: Duration = Field(0.0, alias="from", description="Where it begins; the start of the lab by default.")
    to: Duration | None = Field(None, description="Where it ends; the end of the lab by default.")
    after: str | None = Field(
        None,
        min_length=1,
        description="A target of faults, such as `endpoint.opcua`: times count from its first fault.",
    )

    @model_validator(mode="after")
    def _forward(self) -> Window:
        if self.to is not None and self.to <= self.from_:
            raise ValueError("'to' comes after 'from'")
        return self


When = Literal["ever", "at-end"] | Window
"""``ever``: an earlier success stays one; ``at-end``: as things stand at the end; or a stretch of time."""

Credit = Literal["share", "whole"] | Annotated[dict[Share, Share], Field(min_length=1)]
"""``share``: marks as the share that is right; ``whole``: all or nothing; or steps, from a share to its part of the marks."""

Mode = Literal["training", "exam"]
"""``training``: a success stays one, and every reason is told; ``exam``: the end counts, and `Feedback` is told."""

Feedback = Literal["marks", "outcomes", "reasons"]
"""What a candidate is told in an exam: the marks of each task, with the outcome of each check, or with its reason too."""


def earned(credit: Credit, share: float) -> float:
    """The part of the marks that a share of a check earns."""
    if credit == "share" or share >= 1:
        return share if credit == "share" else 1.0
    if isinstance(credit, str):
        return 0.0
    return max((part for least, part in credit.items() if share >= least - 1e-9), default=0.0)
