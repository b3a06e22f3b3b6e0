"""The base of every check: a name, a sentence, typed parameters, and a pure judgement of evidence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from grader.outcome import Outcome
from labsim.evidence.evidence import Evidence
from labsim.quantity import Share as Share
from labsim.quantity import parse_share as parse_share
from labsim.text import Text


class Params(BaseModel):
    """Base of the parameters of a check. Every field has a description, which is its manual."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Params)


class Check(ABC, Generic[P]):
    """One kind of check.

    The docstring of a subclass is its page in docs/checks.md: what it judges, how time windows are meant, and an
    ``Example::`` in YAML.

    Attributes:
        name: As scenarios write it: ``family.verb``.
        sentence: What a trainee reads as the title of the check; ``{p.device}`` fills in a parameter.
        Params: The model of its parameters.
        judges: ``deeds``: what was done, which stays done, whatever follows. ``handed``: what was handed in, answered or tried
            by the host, and ``standing``: how things stand at a moment (a store, a session); either can have been right
            earlier. ``absence``: what never happens, which an earlier moment proves nothing of.
        reads: Reads that must be in the journal one by one. ``tags``: those of the tags it names. ``devices``: every one of
            the devices it names, itself or by a tag, because it counts requests. ``all``: every one. What no check needs is
            counted in a ``poll``.
    """

    name: ClassVar[str]
    sentence: ClassVar[Text]
    judges: ClassVar[Literal["deeds", "handed", "standing", "absence"]] = "deeds"
    reads: ClassVar[Literal["tags", "devices", "all"]] = "tags"
    Params: type[P]

    @abstractmethod
    def judge(self, evidence: Evidence, params: P) -> Outcome:
        """Judge the evidence. Pure: the same evidence and parameters give the same outcome; reads no clock and no file."""

    def title(self, params: P) -> Text:
        """The sentence with the parameters filled in."""
        return self.sentence.format(p=params)
